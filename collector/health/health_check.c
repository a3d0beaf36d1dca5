#include "collector/health/health.h"

#include <stdatomic.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* The number grew: the refusal is as old as this question at most. */
static bool health_refused_lately(struct health *self, uint64_t now_us)
{
    struct health_watch *watch = &self->watch;
    uint64_t refused = counters_find(self->counters, COUNTER_LOG_REFUSED);
    pthread_mutex_lock(&watch->lock);
    if (refused != watch->refused) {
        watch->refused = refused;
        watch->refused_at_us = now_us;
    }
    bool lately = refused > 0 && now_us - watch->refused_at_us < HEALTH_REFUSED_US;
    pthread_mutex_unlock(&watch->lock);
    return lately;
}

/* The same two conditions under which the log refuses appends before it tries; then how its last try ended. */
const char *health_check_log(struct health *self, uint64_t now_us)
{
    struct statvfs info;
    bool refused = health_refused_lately(self, now_us);
    if (access(self->data, W_OK | X_OK) != 0 || statvfs(self->data, &info) != 0)
        return "not_writable";
    if ((uint64_t)info.f_bavail * info.f_frsize < HEALTH_FREE_BYTES_FLOOR)
        return "disk_full";
    return refused && counters_find(self->counters, COUNTER_LOG_REFUSING) != 0 ? "refusing" : "ok";
}

/* Behind is normal for a moment, and stuck is behind at one position for long. */
const char *health_check_index(struct health *self, uint64_t now_us)
{
    struct health_watch *watch = &self->watch;
    if (!atomic_load(&self->index_runs))
        return "stopped";
    uint64_t position = counters_find(self->counters, COUNTER_SINK_POSITION);
    bool behind = self->durable != NULL && self->durable(self->durable_context) > position;
    pthread_mutex_lock(&watch->lock);
    if (behind && (!watch->behind || watch->position != position))
        watch->behind_since_us = now_us;
    watch->behind = behind;
    watch->position = position;
    bool stuck = behind && now_us - watch->behind_since_us >= HEALTH_STUCK_US;
    pthread_mutex_unlock(&watch->lock);
    return stuck ? "stuck" : "ok";
}

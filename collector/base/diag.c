#include "collector/base/diag.h"

#include "collector/base/json.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define DIAG_MESSAGE_BYTES_MAX 2048u
/* One write of at most this is not mixed with another thread's, when standard error is a pipe. */
#define DIAG_LINE_BYTES_MAX PIPE_BUF

/* The one process-wide setting: messages come from places that no context reaches (signal set-up, allocation failure).
 */
static _Atomic int diag_level_now = DIAG_INFO;

static const char *const diag_level_names[] = {"error", "warning", "info", "debug"};

void diag_set_level(enum diag_level level)
{
    atomic_store(&diag_level_now, (int)level);
}

static void diag_time(char *out, size_t size)
{
    struct timespec now;
    struct tm parts;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &parts);
    size_t at = strftime(out, size, "%Y-%m-%dT%H:%M:%S", &parts);
    snprintf(out + at, size - at, ".%03ldZ", now.tv_nsec / 1000000);
}

/* One write(2) a line, so that lines of several threads do not mix. */
static void diag_write(struct slice line)
{
    while (line.size > 0) {
        ssize_t wrote = write(STDERR_FILENO, line.data, line.size);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            return; /* nobody is left to tell */
        line = slice_of(line.data + wrote, line.size - (size_t)wrote);
    }
}

static void diag_compose(struct buf *line, enum diag_level level, const char *event, struct slice message)
{
    char when[40];
    struct json json;
    diag_time(when, sizeof when);
    json_init(&json, line);
    json_object(&json, NULL);
    json_text(&json, "time", slice_text(when));
    json_text(&json, "level", slice_text(diag_level_names[level]));
    json_text(&json, "event", slice_text(event));
    json_text(&json, "message", message);
    json_object_end(&json);
    buf_add_text(line, "\n");
}

/* A message that is mostly escapes may not fit: then as much of it as does. Nothing is allocated: "out of memory" must be
 * said, too. */
static void diag_say(enum diag_level level, const char *event, struct slice message)
{
    uint8_t room[DIAG_LINE_BYTES_MAX];
    struct buf line = {.data = room, .room = sizeof room, .room_max = sizeof room};
    diag_compose(&line, level, event, message);
    while (line.failed && message.size > 0) {
        message.size /= 2;
        buf_clear(&line);
        diag_compose(&line, level, event, message);
    }
    if (!line.failed)
        diag_write(buf_slice(&line));
}

void diag(enum diag_level level, const char *event, const char *format, ...)
{
    if ((int)level > atomic_load(&diag_level_now))
        return;
    char message[DIAG_MESSAGE_BYTES_MAX];
    int saved = errno; /* callers log before they look at errno */
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    diag_say(level, event, slice_text(message));
    errno = saved;
}

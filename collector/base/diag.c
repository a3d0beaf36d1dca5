#include "collector/base/diag.h"

#include "collector/base/json.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define DIAG_MESSAGE_BYTES_MAX 2048u
/* Every message byte may become a six-byte escape; the rest is the frame around it. */
#define DIAG_LINE_BYTES_MAX (6u * DIAG_MESSAGE_BYTES_MAX + 512u)

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

void diag(enum diag_level level, const char *event, const char *format, ...)
{
    if ((int)level > atomic_load(&diag_level_now))
        return;
    char message[DIAG_MESSAGE_BYTES_MAX];
    char when[40];
    int saved = errno; /* callers log before they look at errno */
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    diag_time(when, sizeof when);

    uint8_t room[DIAG_LINE_BYTES_MAX]; /* not allocated: "out of memory" must be said, too */
    struct buf line = {.data = room, .room = sizeof room, .room_max = sizeof room};
    struct json json;
    json_init(&json, &line);
    json_object(&json, NULL);
    json_text(&json, "time", slice_text(when));
    json_text(&json, "level", slice_text(diag_level_names[level]));
    json_text(&json, "event", slice_text(event));
    json_text(&json, "message", slice_text(message));
    json_object_end(&json);
    buf_add_text(&line, "\n");
    if (!line.failed)
        diag_write(buf_slice(&line));
    errno = saved;
}

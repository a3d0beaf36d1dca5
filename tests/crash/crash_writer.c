/*
 * A process to be killed: opens the log in FOLDER on the real disk, appends COUNT records from id FIRST on, several under
 * way at a time, and prints each id when it is durable, with one write(2), so that what was printed was promised.
 *
 *   crash_writer FOLDER FIRST COUNT [max segments = 0, none]
 *
 * Record id: its first 8 bytes are the id, the rest and the length follow from it (crash_payload, and the same in
 * syscall_kill.mjs).
 */
#include "collector/log/log.h"

#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SEGMENT_BYTES (4096u + 2048u)
#define PAYLOAD_MAX   700u
#define IN_FLIGHT     3u

struct crash_append {
    struct append append; /* first: done() gets its address */
    struct log *log;
    uint64_t id;
    sem_t free;
    uint8_t payload[PAYLOAD_MAX];
};

static struct slice crash_payload(uint64_t id, uint8_t *out)
{
    size_t size = 8 + (size_t)(id * 37 % 600);
    for (size_t i = 0; i < size; i++)
        out[i] = i < 8 ? (uint8_t)(id >> (8 * i)) : (uint8_t)(id * 131 + i * 7 + 1);
    return slice_of(out, size);
}

static void crash_done(struct append *append)
{
    struct crash_append *self = (struct crash_append *)append;
    char line[32];
    int size = snprintf(line, sizeof line, "%llu\n", (unsigned long long)self->id);
    if (append->result == APPEND_DURABLE && write(STDOUT_FILENO, line, (size_t)size) != size)
        abort();
    log_hold(self->log, append->position);
    sem_post(&self->free);
}

static void crash_run(struct log *log, uint64_t first, uint64_t count)
{
    static struct crash_append appends[IN_FLIGHT];
    for (size_t i = 0; i < IN_FLIGHT; i++) {
        appends[i].log = log;
        sem_init(&appends[i].free, 0, 1);
    }
    for (uint64_t id = first; id < first + count; id++) {
        struct crash_append *self = &appends[id % IN_FLIGHT];
        while (sem_wait(&self->free) != 0)
            ;
        self->id = id;
        self->append = (struct append){.type = APPEND_SPANS,
                                       .payload = crash_payload(id, self->payload),
                                       .received_unix_us = 1764000000000000u + id,
                                       .done = crash_done};
        log_take(log, &self->append);
    }
    for (size_t i = 0; i < IN_FLIGHT; i++)
        while (sem_wait(&appends[i].free) != 0)
            ;
}

int main(int argc, char **argv)
{
    static struct counters counters;
    char error[512];
    if (argc < 4) {
        fputs("usage: crash_writer FOLDER FIRST COUNT [max segments]\n", stderr);
        return 2;
    }
    struct log *log = log_open(&(struct log_options){.folder = argv[1],
                                                     .segment_bytes = SEGMENT_BYTES,
                                                     .headroom_bytes = 1,
                                                     .bytes_max = argc > 4 ? strtoull(argv[4], NULL, 10) * SEGMENT_BYTES : 0,
                                                     .counters = &counters},
                               error, sizeof error);
    if (log == NULL) {
        fprintf(stderr, "crash_writer: %s\n", error);
        return 1;
    }
    crash_run(log, strtoull(argv[2], NULL, 10), strtoull(argv[3], NULL, 10));
    log_close(log);
    return 0;
}

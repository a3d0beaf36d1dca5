/*
 * How long this disk takes to make bytes durable, the way the log does it: one pwritev, one fdatasync, into blocks that
 * were written before. A commit of the collector takes that long, so it is what an answer waits for.
 */
#include "collector/command/command.h"
#include "collector/os/os.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BENCH_WRITES    200u /* of each size: the third slowest of them is the 99th percentile */
#define BENCH_BYTES_MAX (1u << 20)
#define BENCH_FILE_MAX  (16u << 20) /* written round and round */
#define BENCH_NAME      "vitrace-bench.tmp"

struct bench {
    const struct os *os;
    int folder, file;
    uint8_t *data;
    uint64_t took_us[BENCH_WRITES];
};

static bool bench_write(struct bench *self, size_t bytes, uint64_t offset)
{
    struct iovec part = {self->data, bytes};
    if (self->os->pwritev(self->os->context, self->file, &part, 1, (off_t)offset) != (ssize_t)bytes)
        return false;
    return self->os->fdatasync(self->os->context, self->file) == 0;
}

static bool bench_fill(struct bench *self)
{
    for (uint64_t offset = 0; offset < BENCH_FILE_MAX; offset += BENCH_BYTES_MAX)
        if (!bench_write(self, BENCH_BYTES_MAX, offset))
            return false;
    return true;
}

/* NULL = done; otherwise what could not be done, with errno. */
static const char *bench_open(struct bench *self, const char *folder)
{
    const struct os *os = self->os;
    self->data = calloc(1, BENCH_BYTES_MAX);
    if (self->data == NULL)
        return "allocate memory for";
    memset(self->data, 0x5a, BENCH_BYTES_MAX);
    self->folder = os->open(os->context, AT_FDCWD, folder, O_RDONLY | O_DIRECTORY, 0);
    if (self->folder < 0)
        return "open";
    self->file = os->open(os->context, self->folder, BENCH_NAME, O_RDWR | O_CREAT | O_EXCL, 0600);
    if (self->file < 0)
        return "create " BENCH_NAME " in";
    os->unlink(os->context, self->folder, BENCH_NAME); /* gone with the process, however it ends */
    return bench_fill(self) ? NULL : "write in";
}

static void bench_close(struct bench *self)
{
    if (self->file >= 0)
        self->os->close(self->os->context, self->file);
    if (self->folder >= 0)
        self->os->close(self->os->context, self->folder);
    free(self->data);
}

static int bench_compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static double bench_ms(const struct bench *self, unsigned percent)
{
    unsigned at = (BENCH_WRITES * percent + 99) / 100; /* nearest rank */
    return (double)self->took_us[at - 1] / 1000.0;
}

static bool bench_size(struct bench *self, size_t bytes)
{
    uint64_t offset = 0;
    for (unsigned i = 0; i < BENCH_WRITES; i++) {
        uint64_t began_us = self->os->mono_us(self->os->context);
        if (!bench_write(self, bytes, offset))
            return false;
        self->took_us[i] = self->os->mono_us(self->os->context) - began_us;
        offset = (offset + bytes) % BENCH_FILE_MAX;
    }
    qsort(self->took_us, BENCH_WRITES, sizeof self->took_us[0], bench_compare);
    printf("%7zu bytes  p50 %8.3f ms  p99 %8.3f ms  max %8.3f ms\n", bytes, bench_ms(self, 50), bench_ms(self, 99),
           bench_ms(self, 100));
    return true;
}

static int bench_run(const char *folder)
{
    static const size_t sizes[] = {4096, 65536, BENCH_BYTES_MAX};
    struct bench bench = {.os = os_posix(), .folder = -1, .file = -1};
    const char *problem = bench_open(&bench, folder);
    if (problem == NULL)
        printf("pwritev and fdatasync, %u times each, in %s\n", BENCH_WRITES, folder);
    for (size_t i = 0; problem == NULL && i < sizeof sizes / sizeof sizes[0]; i++)
        problem = bench_size(&bench, sizes[i]) ? NULL : "write in";
    if (problem != NULL)
        fprintf(stderr, "vitrace bench: cannot %s %s: %s; it needs a folder that can be written to, and 16 MiB\n", problem,
                folder, strerror(errno));
    bench_close(&bench);
    return problem == NULL ? COMMAND_OK : COMMAND_FAILED;
}

int command_bench(const struct command *self, int argc, char **argv)
{
    if (argc != 4 || strcmp(argv[1], "fsync") != 0 || strcmp(argv[2], "--data") != 0)
        return command_misused(self, "what to measure, and where?");
    return bench_run(argv[3]);
}

/*
 * What the log adds to the disk: appends/s of the log with N producers, and of a plain loop that writes the same bytes
 * with the same number of commits to a preallocated file, in turn in one run, so that the ratio survives a noisy
 * machine.
 *
 *   log_bench FOLDER [threads=4] [appends=50000] [payload bytes=800] [in flight a thread=64] [rounds=3]
 *
 * The plain loop is told how many appends the log put into a commit on average: the ratio is about the log's own work
 * (checksums, queue, answers), the batch size is printed because it decides the absolute figures. Below each line: the time
 * from append to durable answer, and the same for the appends of commits that opened a segment (the raw loop has none).
 */
#include "collector/log/log.h"

#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define THREADS_MAX   64
#define IN_FLIGHT_MAX 1024

struct bench {
    const char *folder;
    unsigned threads, appends, payload_bytes, in_flight, rounds;
    struct log *log;
    struct counters counters;
    uint8_t *payload;
};

struct producer {
    struct bench *bench;
    pthread_t thread;
    sem_t free_slots;
    struct producer_slot {
        struct append append;
        struct producer *producer;
        double start;
    } slots[IN_FLIGHT_MAX];
    unsigned failed;
    float *latencies; /* of each append, seconds; written by the log's thread */
    uint64_t *segments; /* how many there were when it was answered */
    unsigned answered;
};

static double seconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void slot_done(struct append *append)
{
    struct producer_slot *slot = (struct producer_slot *)append;
    struct producer *producer = slot->producer;
    producer->failed += append->result != APPEND_DURABLE;
    producer->latencies[producer->answered] = (float)(seconds(CLOCK_MONOTONIC) - slot->start);
    producer->segments[producer->answered++] = counters_find(&producer->bench->counters, COUNTER_LOG_SEGMENTS);
    sem_post(&slot->producer->free_slots);
}

static void take_slot(struct producer *self)
{
    while (sem_wait(&self->free_slots) != 0)
        ;
}

static void *producer_run(void *context)
{
    struct producer *self = context;
    const struct bench *bench = self->bench;
    for (unsigned i = 0; i < bench->appends / bench->threads; i++) {
        take_slot(self);
        struct producer_slot *slot = &self->slots[i % bench->in_flight];
        slot->producer = self;
        slot->append = (struct append){.type = APPEND_BEACON,
                                       .payload = slice_of(bench->payload, bench->payload_bytes),
                                       .received_unix_us = i,
                                       .done = slot_done};
        slot->start = seconds(CLOCK_MONOTONIC);
        log_take(bench->log, &slot->append);
    }
    for (unsigned i = 0; i < bench->in_flight; i++)
        take_slot(self);
    return NULL;
}

static int compare_floats(const void *left, const void *right)
{
    float a = *(const float *)left, b = *(const float *)right;
    return a < b ? -1 : a > b;
}

static void print_percentiles(const char *name, float *list, size_t count)
{
    if (count == 0)
        return;
    qsort(list, count, sizeof *list, compare_floats);
    printf("  %-8s %8zu  p50 %7.2f  p99 %7.2f  p99.9 %7.2f  max %7.2f ms\n", name, count, list[count / 2] * 1e3,
           list[count * 99 / 100] * 1e3, list[count * 999 / 1000] * 1e3, list[count - 1] * 1e3);
}

/* An append whose answer came with one segment more than the one before it waited for the segment. */
static void print_latencies(const struct bench *self, const struct producer *producers)
{
    size_t all = 0, rolls = 0;
    float *list = malloc((self->appends + 1) * sizeof *list), *waited = malloc((self->appends + 1) * sizeof *waited);
    if (list == NULL || waited == NULL)
        abort();
    for (unsigned i = 0; i < self->threads; i++) {
        const struct producer *producer = &producers[i];
        for (unsigned j = 0; j < producer->answered; j++) {
            list[all++] = producer->latencies[j];
            if (j > 0 && producer->segments[j] != producer->segments[j - 1])
                waited[rolls++] = producer->latencies[j];
        }
    }
    print_percentiles("answer", list, all);
    print_percentiles("rollover", waited, rolls);
    free(list);
    free(waited);
}

/* Wall seconds, or a negative number. */
static double run_log(struct bench *self, double *cpu)
{
    static struct producer producers[THREADS_MAX];
    unsigned failed = 0;
    double start = seconds(CLOCK_MONOTONIC), cpu_start = seconds(CLOCK_PROCESS_CPUTIME_ID);
    for (unsigned i = 0; i < self->threads; i++) {
        producers[i].bench = self;
        producers[i].failed = producers[i].answered = 0;
        producers[i].latencies = malloc((self->appends + 1) * sizeof *producers[i].latencies);
        producers[i].segments = malloc((self->appends + 1) * sizeof *producers[i].segments);
        if (producers[i].latencies == NULL || producers[i].segments == NULL)
            abort();
        sem_init(&producers[i].free_slots, 0, self->in_flight);
        if (pthread_create(&producers[i].thread, NULL, producer_run, &producers[i]) != 0)
            abort();
    }
    for (unsigned i = 0; i < self->threads; i++) {
        pthread_join(producers[i].thread, NULL);
        failed += producers[i].failed;
        sem_destroy(&producers[i].free_slots);
    }
    *cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu_start;
    double wall = seconds(CLOCK_MONOTONIC) - start;
    print_latencies(self, producers);
    for (unsigned i = 0; i < self->threads; i++) {
        free(producers[i].latencies);
        free(producers[i].segments);
    }
    return failed == 0 ? wall : -1;
}

static double run_raw(int folder, uint64_t bytes, uint64_t commits, double *cpu)
{
    size_t block = (size_t)(bytes / commits);
    uint8_t *data = calloc(1, block);
    int file = openat(folder, "raw", O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (data == NULL || file < 0 || posix_fallocate(file, 0, (off_t)(block * commits)) != 0 || fsync(file) != 0)
        abort();
    double start = seconds(CLOCK_MONOTONIC), cpu_start = seconds(CLOCK_PROCESS_CPUTIME_ID);
    for (uint64_t i = 0; i < commits; i++) {
        if (pwrite(file, data, block, (off_t)(i * block)) != (ssize_t)block || fdatasync(file) != 0)
            abort();
    }
    *cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu_start;
    double wall = seconds(CLOCK_MONOTONIC) - start;
    close(file);
    unlinkat(folder, "raw", 0);
    free(data);
    return wall;
}

static int bench_round(struct bench *self, int folder)
{
    double cpu, raw_cpu;
    uint64_t commits = counters_find(&self->counters, COUNTER_LOG_COMMITS);
    uint64_t records = counters_find(&self->counters, COUNTER_LOG_RECORDS);
    uint64_t start = log_durable_position(self->log);
    double wall = run_log(self, &cpu);
    if (wall < 0) {
        fprintf(stderr, "an append failed: is the disk full?\n");
        return 1;
    }
    commits = counters_find(&self->counters, COUNTER_LOG_COMMITS) - commits;
    records = counters_find(&self->counters, COUNTER_LOG_RECORDS) - records;
    uint64_t bytes = log_durable_position(self->log) - start;
    double raw = run_raw(folder, bytes, commits, &raw_cpu);
    printf("log %8.0f appends/s %7.1f MB/s  %5.1f appends/commit  %5.2f us CPU each | raw %8.0f /s %7.1f MB/s %5.2f us"
           " | log/raw %.2f\n",
           (double)records / wall, (double)bytes / wall / 1e6, (double)records / (double)commits,
           cpu * 1e6 / (double)records, (double)records / raw, (double)bytes / raw / 1e6,
           raw_cpu * 1e6 / (double)records, raw / wall);
    return 0;
}

static unsigned argument(int argc, char **argv, int index, unsigned preset, unsigned max)
{
    unsigned long value = argc > index ? strtoul(argv[index], NULL, 10) : preset;
    return value == 0 ? preset : value > max ? max : (unsigned)value;
}

int main(int argc, char **argv)
{
    static struct bench bench;
    char error[256];
    if (argc < 2) {
        fprintf(stderr, "usage: log_bench FOLDER [threads] [appends] [payload bytes] [in flight] [rounds]\n");
        return 2;
    }
    bench.folder = argv[1];
    bench.threads = argument(argc, argv, 2, 4, THREADS_MAX);
    bench.appends = argument(argc, argv, 3, 50000, 10000000);
    bench.payload_bytes = argument(argc, argv, 4, 800, LOG_RECORD_BYTES_MAX);
    bench.in_flight = argument(argc, argv, 5, 64, IN_FLIGHT_MAX);
    bench.rounds = argument(argc, argv, 6, 3, 1000);
    bench.payload = malloc(bench.payload_bytes);
    struct log_options options = {.folder = bench.folder, .counters = &bench.counters};
    bench.log = log_open(&options, error, sizeof error);
    int folder = open(bench.folder, O_RDONLY | O_DIRECTORY);
    if (bench.payload == NULL || bench.log == NULL || folder < 0) {
        fprintf(stderr, "%s\n", bench.log == NULL ? error : "out of memory or no folder");
        return 1;
    }
    memset(bench.payload, 0x5a, bench.payload_bytes);
    int status = 0;
    for (unsigned i = 0; i < bench.rounds && status == 0; i++)
        status = bench_round(&bench, folder);
    log_close(bench.log);
    close(folder);
    free(bench.payload);
    return status;
}

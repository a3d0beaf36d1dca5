/*
 * Every allocation of the log and its readers fails once. See tests/support/failing_malloc.h.
 */
#include "collector/log/log.h"
#include "tests/support/failing_malloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>

#include <cmocka.h>

#include <dirent.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define RECORDS   12u
#define BIG_BYTES (300u << 10) /* over the reader's first window: it grows */

struct waiting_append {
    struct append append; /* first: done() gets its address */
    sem_t answered;
};

static void waiting_done(struct append *append)
{
    sem_post(&((struct waiting_append *)append)->answered);
}

static uint8_t big[BIG_BYTES];

static enum append_result send(struct log *log, size_t size)
{
    struct waiting_append waiting = {
        .append = {.type = APPEND_SPANS, .payload = slice_of(big, size), .done = waiting_done}};
    sem_init(&waiting.answered, 0, 0);
    log_take(log, &waiting.append);
    while (sem_wait(&waiting.answered) != 0)
        ;
    sem_destroy(&waiting.answered);
    return waiting.append.result;
}

static struct log *open_log(const char *folder, struct counters *counters, char *error, size_t error_size)
{
    return log_open(&(struct log_options){.folder = folder,
                                          .segment_bytes = 512 << 10,
                                          .free_bytes_floor = 1,
                                          .headroom_bytes = 1,
                                          .counters = counters},
                    error, error_size);
}

/* Records read; a reader that cannot have memory says so, and goes on when it can. */
static unsigned read_all(struct log *log)
{
    struct log_record record;
    unsigned records = 0;
    struct log_reader *reader = log_reader_new(log, 0);
    if (reader == NULL)
        reader = log_reader_new(log, 0);
    assert_non_null(reader);
    for (enum log_read_status status; (status = log_reader_next(reader, &record)) != LOG_READ_END;) {
        assert_true(status == LOG_READ_RECORD || (status == LOG_READ_ERROR && failing_malloc_has_failed()));
        records += status == LOG_READ_RECORD;
    }
    log_reader_free(reader);
    return records;
}

static void remove_folder(const char *folder)
{
    DIR *list = opendir(folder);
    for (struct dirent *entry = readdir(list); entry != NULL; entry = readdir(list)) {
        if (entry->d_name[0] != '.')
            unlinkat(dirfd(list), entry->d_name, 0);
    }
    closedir(list);
    rmdir(folder);
}

/* One life of a log: opened on what the last one left, written, read, closed. Returns what it promised. */
static unsigned live(const char *folder)
{
    struct counters counters = {0};
    char error[256] = "";
    unsigned promised = 0;
    struct log *log = open_log(folder, &counters, error, sizeof error);
    if (log == NULL) {
        assert_true(failing_malloc_has_failed());
        assert_true(strstr(error, "memory") != NULL);
        return 0;
    }
    for (unsigned i = 0; i < RECORDS; i++)
        promised += send(log, i == RECORDS / 2 ? BIG_BYTES : 100 + i) == APPEND_DURABLE;
    assert_true(read_all(log) >= promised);
    log_close(log);
    return promised;
}

static void test_memory__any_failing_allocation_is_an_answer_and_loses_nothing(void **state)
{
    (void)state;
    unsigned failures = 0;
    for (long call = 0;; call++) {
        char folder[] = "/tmp/vitrace-memory-XXXXXX";
        assert_non_null(mkdtemp(folder));
        failing_malloc_arm(-1);
        unsigned promised = live(folder); /* all is well: something to recover from */
        assert_int_equal(promised, RECORDS);
        failing_malloc_arm(call);
        promised += live(folder);
        failing_malloc_disarm();
        bool failed = failing_malloc_has_failed();
        struct counters counters = {0};
        char error[256] = "";
        struct log *log = open_log(folder, &counters, error, sizeof error);
        assert_non_null(log);
        assert_int_equal(read_all(log), promised);
        log_close(log);
        remove_folder(folder);
        failures += failed;
        if (!failed)
            break;
    }
    print_message("%u allocations failed, one a run\n", failures);
    assert_true(failures >= 5); /* log, table, recovery block, scan window, reader, its window twice */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory__any_failing_allocation_is_an_answer_and_loses_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The log on a real folder with real threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "collector/log/log.h"

#include <dirent.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <pthread.h>

#define THREADS    4u
#define PER_THREAD 400u
#define IN_FLIGHT  8u

struct fixture {
    char folder[64];
    struct counters counters;
    struct log *log;
    char error[256];
};

static struct log *open_log(struct fixture *self)
{
    struct log_options options = {
        .folder = self->folder, .segment_bytes = 256 << 10, .free_bytes_floor = 1, .counters = &self->counters};
    return log_open(&options, self->error, sizeof self->error);
}

static int set_up(void **state)
{
    struct fixture *self = calloc(1, sizeof *self);
    assert_non_null(self);
    snprintf(self->folder, sizeof self->folder, "/tmp/vitrace-log-XXXXXX");
    assert_non_null(mkdtemp(self->folder));
    self->log = open_log(self);
    if (self->log == NULL)
        fail_msg("%s", self->error);
    *state = self;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *self = *state;
    log_close(self->log);
    DIR *folder = opendir(self->folder);
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        if (entry->d_name[0] != '.')
            unlinkat(dirfd(folder), entry->d_name, 0);
    }
    closedir(folder);
    rmdir(self->folder);
    free(self);
    return 0;
}

struct sender {
    struct fixture *fixture;
    uint32_t number;
    pthread_t thread;
    sem_t free_slots;
    struct slot {
        struct append append;
        struct sender *sender;
        uint32_t payload[100];
    } slots[IN_FLIGHT];
    unsigned durable; /* writer thread only, until the sender has all slots back */
};

static void slot_done(struct append *append)
{
    struct slot *slot = (struct slot *)append;
    slot->sender->durable += append->result == APPEND_DURABLE;
    sem_post(&slot->sender->free_slots);
}

static void take_slot(struct sender *self)
{
    while (sem_wait(&self->free_slots) != 0)
        ;
}

/* Answers come in order, so slots become free in order, too. */
static void *sender_run(void *context)
{
    struct sender *self = context;
    for (uint32_t i = 0; i < PER_THREAD; i++) {
        struct slot *slot = &self->slots[i % IN_FLIGHT];
        take_slot(self);
        for (size_t word = 0; word < 100; word++)
            slot->payload[word] = self->number << 16 | i;
        slot->append = (struct append){
            .type = APPEND_BEACON, .payload = slice_of(slot->payload, 8 + i % 99 * 4), .done = slot_done};
        slot->sender = self;
        log_take(self->fixture->log, &slot->append);
    }
    for (unsigned i = 0; i < IN_FLIGHT; i++)
        take_slot(self);
    return NULL;
}

/* Each sender's records in its order, none missing, none twice. */
static void *follow_run(void *context)
{
    struct fixture *self = context;
    uint32_t next[THREADS] = {0};
    struct log_reader *reader = log_reader_new(self->log, 0);
    struct log_record record = {0};
    for (unsigned count = 0; count < THREADS * PER_THREAD;) {
        enum log_read_status status = log_reader_next(reader, &record);
        if (status == LOG_READ_END) {
            log_wait(self->log, record.position, 1000);
            continue;
        }
        uint32_t word;
        if (status != LOG_READ_RECORD)
            break;
        memcpy(&word, record.payload.data, sizeof word);
        uint32_t number = word >> 16, i = word & 0xffff;
        if (number >= THREADS || next[number] != i || record.payload.size != 8 + i % 99 * 4)
            break;
        next[number]++;
        count++;
    }
    log_reader_free(reader);
    for (unsigned i = 0; i < THREADS; i++) {
        if (next[i] != PER_THREAD)
            return self;
    }
    return NULL;
}

static void test_log__four_senders_and_a_follower_see_the_same_records(void **state)
{
    struct fixture *self = *state;
    struct sender *senders = calloc(THREADS, sizeof *senders);
    pthread_t follower;
    void *broken;
    assert_int_equal(pthread_create(&follower, NULL, follow_run, self), 0);
    for (uint32_t i = 0; i < THREADS; i++) {
        senders[i].fixture = self;
        senders[i].number = i;
        sem_init(&senders[i].free_slots, 0, IN_FLIGHT);
        assert_int_equal(pthread_create(&senders[i].thread, NULL, sender_run, &senders[i]), 0);
    }
    for (uint32_t i = 0; i < THREADS; i++) {
        pthread_join(senders[i].thread, NULL);
        assert_int_equal(senders[i].durable, PER_THREAD);
        sem_destroy(&senders[i].free_slots);
    }
    pthread_join(follower, &broken);
    assert_null(broken);
    assert_true(counters_find(&self->counters, COUNTER_LOG_SEGMENTS) > 1);
    free(senders);
    /* And again from the disk. */
    log_close(self->log);
    self->log = open_log(self);
    assert_non_null(self->log);
    assert_null(follow_run(self));
}

static void test_log__a_folder_in_use_is_refused(void **state)
{
    struct fixture *self = *state;
    assert_null(open_log(self));
    assert_non_null(strstr(self->error, self->folder));
    assert_non_null(strstr(self->error, "another collector"));
}

static void test_log__a_folder_that_cannot_be_made_is_named(void **state)
{
    (void)state;
    struct counters counters = {0};
    char error[256] = "";
    struct log_options options = {.folder = "/proc/no/such/folder", .counters = &counters};
    assert_null(log_open(&options, error, sizeof error));
    assert_non_null(strstr(error, "/proc/no/such/folder"));
    char little[8];
    assert_null(log_open(&options, little, sizeof little));
    assert_int_equal(strlen(little), sizeof little - 1);
}

static void test_log__waiting_ends_without_a_record_too(void **state)
{
    struct fixture *self = *state;
    uint64_t durable = log_durable_position(self->log);
    assert_int_equal(log_wait(self->log, durable, 1), durable);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_log__four_senders_and_a_follower_see_the_same_records, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_log__a_folder_in_use_is_refused, set_up, tear_down),
        cmocka_unit_test(test_log__a_folder_that_cannot_be_made_is_named),
        cmocka_unit_test_setup_teardown(test_log__waiting_ends_without_a_record_too, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

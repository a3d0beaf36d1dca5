/*
 * Every call of a life fails: start over an unfinished log, appends, rotation, retention, stop. Once or three times, doing
 * nothing, half, or all of its work before it fails; then the disk is well again. What was answered is there, the log goes on
 * by itself, and no file is trusted again whose sync failed.
 */
#include "tests/support/faulty_disk.h"
#include "tests/support/log_script.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "collector/base/diag.h"
#include "collector/log/log_internal.h"

#include <errno.h>

#define OLD_IDS   12u /* of the life before */
#define IDS       36u /* of the life with faults begin here: OLD_IDS.. */
#define LATER_IDS 300u

struct fault {
    uint64_t call, count;
    enum faulty_fault kind;
    int error;
};

struct faults {
    struct faulty_os *origin; /* what the life before left, killed in the middle of a commit */
    struct log_script *script;
    struct log_script_view view;
    size_t lives, refused_starts, poisoned;
};

static void fail_at(const struct fault *fault, const char *what)
{
    fail_msg("call %d, %d times, kind %d, errno %d: %s", (int)fault->call, (int)fault->count, (int)fault->kind,
             fault->error, what);
}

static void faults_begin(struct faults *self)
{
    struct faulty_os *disk = faulty_os_new();
    self->script = log_script_new(disk);
    self->script->bytes_max = 4 * LOG_SCRIPT_SEGMENT_BYTES;
    assert_true(log_script_open(self->script));
    for (uint64_t id = 0; id < OLD_IDS; id += 3)
        log_script_send(self->script, id, 3);
    size_t end = faulty_os_op_count(disk);
    self->origin = faulty_os_kill_at(disk, end);
    log_script_close(self->script);
    faulty_os_free(disk);
}

/* Within a life: behind a failed sync of a file nothing is written to it or synced, only cut. */
static void check_journal(const struct faulty_os *disk, size_t from, const struct fault *fault)
{
    for (size_t i = from; i < disk->op_count; i++) {
        const struct faulty_op *failed = &disk->ops[i];
        if (failed->kind != OP_SYNC_FAILED || failed->file == FAULTY_FOLDER_FILE)
            continue;
        for (size_t k = i + 1; k < disk->op_count; k++) {
            const struct faulty_op *later = &disk->ops[k];
            if (later->file == failed->file && later->kind == OP_SIZE && later->offset == 0)
                break; /* a ".new" that could not be removed, begun anew: nothing of it is trusted */
            if (later->file == failed->file && (later->kind == OP_SYNC || later->kind == OP_WRITE))
                fail_at(fault, "a file is written or synced again after its sync failed");
        }
    }
}

static void send_with_faults(struct faults *self)
{
    for (uint64_t id = OLD_IDS; id < OLD_IDS + IDS; id += 3) {
        log_script_send(self->script, id, 3);
        log_hold(self->script->log, log_durable_position(self->script->log));
    }
}

/* Each answered id of what is not removed is there, all ids grow. */
static void check_view(struct faults *self, const bool *acked, const struct fault *fault)
{
    bool seen[LOG_SCRIPT_IDS_MAX] = {false};
    uint64_t first = log_first_position(self->script->log);
    log_script_read(self->script, &self->view);
    if (self->view.failed)
        fail_at(fault, "a record that nobody sent, or a read error");
    for (size_t i = 0; i < self->view.count; i++) {
        if (i > 0 && self->view.ids[i] <= self->view.ids[i - 1])
            fail_at(fault, "records are there twice, or in another order");
        seen[self->view.ids[i]] = true;
    }
    for (uint64_t id = OLD_IDS; id < LOG_SCRIPT_IDS_MAX; id++) {
        if (acked[id] && !seen[id] && self->script->positions[id] >= first)
            fail_at(fault, "a record was answered and is not there");
    }
}

/* An unlink that worked and said that it did not: what it removed is gone, and retention tries again later. */
static bool removed_more(struct faulty_os *disk, struct log_script *script)
{
    struct log_segment_summary segment;
    return log_segment_at(script->log, 0, &segment) && faulty_os_find(disk, segment.name) == NULL;
}

/* True: the call was reached. */
static bool run_life(struct faults *self, const struct fault *fault)
{
    struct faulty_os *disk = faulty_os_kill_at(self->origin, faulty_os_op_count(self->origin));
    struct log_script *script = self->script;
    bool acked[LOG_SCRIPT_IDS_MAX] = {false};
    log_script_reset(script, disk);
    size_t from = faulty_os_op_count(disk);
    faulty_os_fail(disk, fault->call, fault->count, fault->kind, fault->error);
    bool opened = log_script_open(script);
    if (!opened && script->error[0] == '\0')
        fail_at(fault, "a start fails without a word");
    if (opened)
        send_with_faults(self);
    bool reached = faulty_os_has_failed(disk);
    faulty_os_fail(disk, 0, 0, FAULTY_ERROR, 0);
    check_journal(disk, from, fault);
    self->refused_starts += !opened;
    self->poisoned += (size_t)counters_find(&script->counters, COUNTER_LOG_POISONED);
    for (uint64_t id = OLD_IDS; opened && id < OLD_IDS + IDS; id++)
        acked[id] = script->results[id] == APPEND_DURABLE;
    if (opened) {
        log_script_send(script, LATER_IDS, 3); /* it is well again: nothing is refused any more */
        for (uint64_t id = LATER_IDS; id < LATER_IDS + 3; id++) {
            if (script->results[id] != APPEND_DURABLE)
                fail_at(fault, "the log does not go on");
            acked[id] = true;
        }
        if (!removed_more(disk, script))
            check_view(self, acked, fault);
        log_script_close(script);
    }
    faulty_os_kill(disk);
    if (!log_script_open(script))
        fail_at(fault, script->error);
    check_view(self, acked, fault);
    log_script_close(script);
    faulty_os_free(disk);
    self->lives++;
    return reached;
}

static void fail_every_call(struct faults *self, uint64_t count, enum faulty_fault kind, int error)
{
    struct fault fault = {.count = count, .kind = kind, .error = error};
    while (run_life(self, &fault))
        fault.call++;
}

static void test_fault__every_call_of_a_life_may_fail(void **state)
{
    struct faults faults = {0};
    (void)state;
    faults_begin(&faults);
    for (uint64_t count = 1; count <= 3; count += 2) {
        for (int kind = FAULTY_ERROR; kind <= FAULTY_AFTER; kind++) {
            fail_every_call(&faults, count, (enum faulty_fault)kind, EIO);
            fail_every_call(&faults, count, (enum faulty_fault)kind, ENOSPC);
        }
    }
    print_message("%zu lives with failing calls: %zu starts refused, %zu segments poisoned\n", faults.lives,
                  faults.refused_starts, faults.poisoned);
    assert_true(faults.poisoned > 20);
    log_script_free(faults.script);
    faulty_os_free(faults.origin);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fault__every_call_of_a_life_may_fail),
    };
    if (freopen("/dev/null", "w", stderr) == NULL) /* every life complains */
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * The promise "204 means on disk", against every disk state that a power loss may leave (crash_states.h). A script of
 * appends runs once on a faulty_os; from each state of its journal the log starts, is read, starts again, takes appends
 * and is read again:
 *
 *   - every record that was answered before the loss is there, at its position, equal, once, in order;
 *   - nothing is there that was never sent; what was sent and not answered may be there;
 *   - a second start changes no byte, and appends go on behind what was there.
 *
 *   log_states_test [SCRIPT]      default: all of them
 *
 * VITRACE_CRASH_SEEDS sets the random states after each journal entry: 10,000 of them make more than a million.
 */
#include "tests/support/crash_states.h"
#include "tests/support/log_script.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "collector/base/diag.h"
#include "collector/log/log_internal.h"

#include <errno.h>

#define SEEDS_DEFAULT 104u
#define IDS_LATER     500u /* appended after a crash */

/* Freed memory is used again soon: a quarantine of 256 MiB would have every state pay for fresh pages. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "quarantine_size_mb=8";
}

struct states {
    struct faulty_os *disk;    /* where the script ran */
    struct log_script *script; /* what it was answered */
    bool may_miss[LOG_SCRIPT_IDS_MAX]; /* damaged on purpose */
    struct log_script *after; /* on the disk of the state that is looked at */
    struct log_script_view view, later;
    size_t records, holes;
};

/* Positions below it were removed by retention before entry `op_count`. */
static uint64_t removed_before(const struct faulty_os *disk, size_t op_count)
{
    uint64_t newest = 0, next = UINT64_MAX, first;
    bool any = false, removed;
    for (size_t op = 0; op < op_count; op++) {
        const char *name = faulty_os_op_name(disk, op, &removed);
        if (name == NULL || !removed || !log_segment_parse_name(name, &first))
            continue;
        any = true;
        newest = first > newest ? first : newest;
    }
    for (size_t op = 0; any && op < op_count; op++) {
        const char *name = faulty_os_op_name(disk, op, &removed);
        if (name != NULL && !removed && log_segment_parse_name(name, &first) && first > newest && first < next)
            next = first;
    }
    return any ? next : 0;
}

static void check_order(const struct log_script_view *view, const char *state)
{
    if (view->failed)
        fail_msg("%s: a record that nobody sent, or a read error", state);
    for (size_t i = 1; i < view->count; i++) {
        if (view->ids[i] <= view->ids[i - 1])
            fail_msg("%s: record %d comes after record %d", state, (int)view->ids[i], (int)view->ids[i - 1]);
    }
}

static bool view_has(const struct log_script_view *view, uint64_t id, uint64_t position)
{
    for (size_t i = 0; i < view->count; i++) {
        if (view->ids[i] == id)
            return view->positions[i] == position;
    }
    return false;
}

static void check_promises(const struct states *self, size_t op_count, const char *state)
{
    uint64_t id, first = log_first_position(self->after->log);
    if (first > 0 && first > removed_before(self->disk, op_count))
        fail_msg("%s: the log begins at %d", state, (int)first);
    for (size_t op = 0; op < op_count; op++) {
        if (!faulty_os_op_mark(self->disk, op, &id) || self->may_miss[id] || self->script->positions[id] < first)
            continue;
        if (!view_has(&self->view, id, self->script->positions[id]))
            fail_msg("%s: record %d was answered and is not there", state, (int)id);
    }
}

static void open_after(struct states *self, const char *state)
{
    if (!log_script_open(self->after))
        fail_msg("%s: cannot open: %s", state, self->after->error);
}

/* Retention may take the oldest away for the new ones. */
static void check_later(struct states *self, const char *state)
{
    const struct log_script_view *view = &self->view, *later = &self->later;
    check_order(later, state);
    if (later->count < 2 || later->ids[later->count - 2] != IDS_LATER)
        fail_msg("%s: what came later is not there", state);
    size_t kept = later->count - 2;
    if (kept > view->count || (self->script->bytes_max == 0 && kept < view->count) ||
        memcmp(later->ids, view->ids + (view->count - kept), kept * sizeof later->ids[0]) != 0)
        fail_msg("%s: what was read at first is not there later", state);
}

static void visit_state(void *context, size_t op_count, struct faulty_os *disk, const char *state)
{
    struct states *self = context;
    faulty_os_set_disk(disk, 1 << 30);
    log_script_reset(self->after, disk);
    open_after(self, state);
    log_script_read(self->after, &self->view);
    check_order(&self->view, state);
    check_promises(self, op_count, state);
    log_script_close(self->after);
    uint64_t once = faulty_os_hash(disk);
    open_after(self, state);
    if (faulty_os_hash(disk) != once)
        fail_msg("%s: the second start changes bytes", state);
    log_script_send(self->after, IDS_LATER, 2);
    log_script_read(self->after, &self->later);
    check_later(self, state);
    log_script_close(self->after);
    self->records += self->view.count;
    self->holes += self->view.corrupt;
}

static struct states *states_new(void)
{
    struct states *self = calloc(1, sizeof *self);
    assert_non_null(self);
    self->disk = faulty_os_new();
    self->script = log_script_new(self->disk);
    return self;
}

static void states_open(struct states *self)
{
    if (!log_script_open(self->script))
        fail_msg("cannot open: %s", self->script->error);
}

/* The log is closed; every state of its disk is looked at. */
static void states_check(struct states *self, const char *name)
{
    const char *seeds = getenv("VITRACE_CRASH_SEEDS");
    struct crash_states states = {.origin = self->disk,
                                  .seeds = seeds != NULL ? strtoull(seeds, NULL, 10) : SEEDS_DEFAULT,
                                  .visit = visit_state,
                                  .context = self};
    log_script_close(self->script);
    self->after = log_script_new(NULL);
    self->after->segment_bytes = self->script->segment_bytes;
    self->after->bytes_max = self->script->bytes_max;
    crash_states_run(&states);
    print_message("%s: %zu journal entries, %zu crash states, %zu distinct ones checked, %zu records read, %zu holes "
                  "reported\n",
                  name, faulty_os_op_count(self->disk), states.tried, states.distinct, self->records, self->holes);
    assert_true(states.distinct > 100);
    log_script_free(self->after);
    log_script_free(self->script);
    faulty_os_free(self->disk);
    free(self);
}

static void send_all(struct states *self, uint64_t first, uint64_t end)
{
    for (uint64_t id = first, count = 1; id < end; id += count, count = count % 5 + 1)
        log_script_send(self->script, id, id + count <= end ? count : end - id);
}

static void assert_durable(const struct states *self, uint64_t first, uint64_t end)
{
    for (uint64_t id = first; id < end; id++)
        assert_int_equal(self->script->results[id], APPEND_DURABLE);
}

/* A handful of records a segment. */
static void test_states__rotation(void **state)
{
    struct states *self = states_new();
    (void)state;
    states_open(self);
    send_all(self, 0, 100);
    assert_durable(self, 0, 100);
    states_check(self, "rotation");
}

/* Commits of several pages: torn 4 KiB tails, and a second commit behind them. */
static void test_states__large_commits(void **state)
{
    struct states *self = states_new();
    (void)state;
    self->script->segment_bytes = 48u << 10;
    states_open(self);
    for (uint64_t id = 0; id < 240; id += 12)
        log_script_send(self->script, id, 12);
    assert_durable(self, 0, 240);
    states_check(self, "large commits");
}

/* The oldest segments go; what a sink has read is let go. */
static void test_states__retention(void **state)
{
    struct states *self = states_new();
    (void)state;
    self->script->bytes_max = 3 * LOG_SCRIPT_SEGMENT_BYTES;
    states_open(self);
    for (uint64_t id = 0; id < 60; id += 4) {
        log_script_send(self->script, id, 4);
        log_hold(self->script->log, log_durable_position(self->script->log));
    }
    assert_durable(self, 0, 60);
    assert_true(counters_find(&self->script->counters, COUNTER_LOG_REMOVED_BYTES) > 2);
    states_check(self, "retention");
}

/* Every commit or the one after it fails at another call, in another way. */
static void test_states__poisoned_segments(void **state)
{
    static const enum faulty_fault faults[] = {FAULTY_ERROR, FAULTY_AFTER, FAULTY_SHORT};
    static const int errors[] = {EIO, ENOSPC, EDQUOT, EROFS};
    struct states *self = states_new();
    (void)state;
    states_open(self);
    for (uint64_t id = 0; id < 100; id += 2) {
        if (id % 4 == 2)
            faulty_os_fail(self->disk, id / 4 % 11, 1 + id % 3, faults[id / 4 % 3], errors[id / 4 % 4]);
        log_script_send(self->script, id, 2);
    }
    faulty_os_fail(self->disk, 0, 0, FAULTY_ERROR, 0);
    assert_true(counters_find(&self->script->counters, COUNTER_LOG_POISONED) >= 3);
    states_check(self, "poisoned segments");
}

/* The disk becomes full, only final beacons are taken, then nothing; then there is room again. */
static void test_states__headroom(void **state)
{
    struct states *self = states_new();
    (void)state;
    self->script->free_bytes_floor = 4096;
    self->script->headroom_bytes = 3 * LOG_SCRIPT_SEGMENT_BYTES;
    self->script->finals = 0x5555555555555555ull;
    faulty_os_set_disk(self->disk, 7 * LOG_SCRIPT_SEGMENT_BYTES);
    states_open(self);
    send_all(self, 0, 70);
    assert_true(counters_find(&self->script->counters, COUNTER_LOG_HEADROOM_REFUSED) > 0);
    assert_true(counters_find(&self->script->counters, COUNTER_LOG_REFUSED) > 0);
    faulty_os_set_disk(self->disk, 1 << 30);
    send_all(self, 70, 90);
    assert_durable(self, 70, 90);
    states_check(self, "headroom");
}

/* The process that had the disk is gone; what it had not synced is in the page cache. */
static void kill_and_start(struct states *self, size_t op_count)
{
    struct faulty_os *killed = faulty_os_kill_at(self->disk, op_count);
    log_script_close(self->script);
    self->script->os = killed;
    faulty_os_free(self->disk);
    self->disk = killed;
}

/* Killed at eight places, each time in another phase of a commit; the journal goes on through the recoveries. */
static void test_states__restarts(void **state)
{
    struct states *self = states_new();
    (void)state;
    states_open(self);
    for (uint64_t life = 0; life < 8; life++) {
        send_all(self, life * 12, life * 12 + 12);
        kill_and_start(self, faulty_os_op_count(self->disk) - 2 - life * 3);
        states_open(self);
    }
    states_check(self, "restarts");
}

/* Bytes rot between two lives: their records are lost, and nothing else, whatever the power does later. */
static void test_states__damage_and_repair(void **state)
{
    struct states *self = states_new();
    (void)state;
    self->script->segment_bytes = 8u << 10;
    states_open(self);
    send_all(self, 0, 60);
    for (uint64_t id = 3; id < 60; id += 7) { /* in turn its header and its payload */
        char name[LOG_NAME_BYTES];
        uint64_t position = self->script->positions[id];
        struct log_range range = log_table_find(&self->script->log->table, position);
        log_segment_name(range.first, name);
        faulty_os_damage(self->disk, name, LOG_HEADER_BYTES + (position - range.first) + (id % 2 ? 4 : 50), 0x10);
        self->may_miss[id] = true;
    }
    kill_and_start(self, faulty_os_op_count(self->disk));
    states_open(self);
    send_all(self, 60, 130);
    assert_durable(self, 60, 130);
    states_check(self, "damage");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_states__rotation),
        cmocka_unit_test(test_states__large_commits),
        cmocka_unit_test(test_states__retention),
        cmocka_unit_test(test_states__poisoned_segments),
        cmocka_unit_test(test_states__headroom),
        cmocka_unit_test(test_states__restarts),
        cmocka_unit_test(test_states__damage_and_repair),
    };
    char filter[64];
    diag_set_level(DIAG_ERROR);
    snprintf(filter, sizeof filter, "test_states__%s", argc > 1 ? argv[1] : "*");
    cmocka_set_test_filter(filter);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * The log against a model: a list of records, each of which is there, is not, or may be. Seeded operations go to both:
 * append (with even seeds, some with calls that fail), read everything, read on from a record, stop and start, kill with what the page
 * cache then has, loss of power with what the disk then may have; retention takes the oldest segments meanwhile. What is
 * read must be what the model says; what it leaves open is settled by the first read after the crash, for good.
 *
 * VITRACE_MODEL_SEEDS=N runs so many seeds (150), VITRACE_MODEL_SEED=S one.
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

#define SEEDS_DEFAULT  150u
#define STEPS          60u
#define SEGMENTS_MAX   5u
#define IDS_PER_APPEND 5u

/* ---- the model ---- */

enum model_state { MODEL_MAYBE, MODEL_THERE, MODEL_GONE, MODEL_REMOVED };

struct model {
    struct {
        enum model_state state;
        uint64_t position;
        uint64_t removed_at; /* model.count, when retention took it; 0 = it did not */
    } record[LOG_SCRIPT_IDS_MAX];
    uint64_t count;  /* ids are 0..count-1, in the order of sending */
    bool has_failed; /* calls did: a failed sync of the folder leaves a removal in doubt for ever */
    bool settled;    /* a start has read: what may be there and was not seen shows up in this life no more */
};

static void model_answer(struct model *self, uint64_t id, bool durable, uint64_t position)
{
    self->record[id].state = durable ? MODEL_THERE : MODEL_MAYBE;
    self->record[id].position = position;
}

/* By retention. */
static void model_remove_before(struct model *self, uint64_t position)
{
    for (uint64_t id = 0; id < self->count; id++) {
        if (self->record[id].state != MODEL_THERE || self->record[id].position >= position)
            continue;
        self->record[id].state = MODEL_REMOVED;
        if (self->record[id].removed_at == 0)
            self->record[id].removed_at = self->count;
    }
}

/* A life ends. What was removed during the last append, ids `last` and up, may come back with the power, now or after
 * another kill: its folder may not have been synced (FORMAT.md, 8). */
static void model_end_life(struct model *self, uint64_t last)
{
    for (uint64_t id = 0; id < self->count; id++) {
        if (self->record[id].state != MODEL_REMOVED || (!self->has_failed && self->record[id].removed_at <= last))
            continue;
        self->record[id].state = MODEL_MAYBE;
        self->record[id].removed_at = UINT64_MAX;
    }
    self->settled = false;
}

/* NULL, or what is wrong with reading `view` from `from` on. The first read of a life settles what may be there. */
static const char *model_check(struct model *self, const struct log_script_view *view, uint64_t from)
{
    size_t at = 0;
    if (view->failed)
        return "a read fails, or shows what nobody wrote";
    for (uint64_t id = 0; id < self->count; id++) {
        bool seen = at < view->count && view->ids[at] == id;
        if (self->record[id].state == MODEL_MAYBE && !self->settled) {
            self->record[id].state = seen                               ? MODEL_THERE
                                     : self->record[id].removed_at > 0 ? MODEL_REMOVED
                                                                       : MODEL_GONE;
            self->record[id].position = seen ? view->positions[at] : self->record[id].position;
        }
        bool expected = self->record[id].state == MODEL_THERE && self->record[id].position >= from;
        if (expected != seen)
            return expected ? "a record is lost" : "a record is there that was never stored, or stored twice";
        if (seen && view->positions[at] != self->record[id].position)
            return "a record is at another position";
        at += seen;
    }
    self->settled = true;
    return at == view->count ? NULL : "there is more than was sent";
}

/* ---- what both are driven by ---- */

struct drive {
    struct faulty_os *disk;
    struct log_script *script;
    struct model model;
    struct log_script_view view;
    uint64_t random, seed;
    size_t sent_at;      /* journal entry at which the last append began */
    uint64_t sent_first; /* its ids, up to model.count */
    unsigned step, faults, kills, losses;
};

static uint64_t dice(struct drive *self, uint64_t sides)
{
    return faulty_random_next(&self->random) % sides;
}

static void drive_fail(const struct drive *self, const char *what)
{
    fail_msg("VITRACE_MODEL_SEED=%llu, step %u: %s", (unsigned long long)self->seed, self->step, what);
}

static void drive_read_from(struct drive *self, uint64_t position)
{
    struct log_reader *reader = log_reader_new(self->script->log, position);
    struct log_record record;
    assert_non_null(reader);
    memset(&self->view, 0, sizeof self->view);
    for (enum log_read_status status; (status = log_reader_next(reader, &record)) != LOG_READ_END;) {
        uint64_t id;
        if (status == LOG_READ_CORRUPT) /* a commit that was torn in its middle, and never answered */
            continue;
        if (status != LOG_READ_RECORD || !log_script_identify(&record, &id) || self->view.count == LOG_SCRIPT_IDS_MAX)
            drive_fail(self, "a read fails, or shows what nobody wrote");
        self->view.positions[self->view.count] = record.position;
        self->view.ids[self->view.count++] = id;
    }
    log_reader_free(reader);
    const char *problem = model_check(&self->model, &self->view, position);
    if (problem != NULL)
        drive_fail(self, problem);
}

/* An unlink that did its work and said that it failed: retention tries again, and readers pass over what is not there. */
static void drive_forget_unlinked(struct drive *self)
{
    struct log_segment_summary segment;
    if (log_segment_at(self->script->log, 0, &segment) && faulty_os_find(self->disk, segment.name) == NULL)
        model_remove_before(&self->model, segment.end);
}

static void drive_read(struct drive *self)
{
    uint64_t first = log_first_position(self->script->log);
    drive_forget_unlinked(self);
    model_remove_before(&self->model, first);
    drive_read_from(self, first);
}

static void drive_read_somewhere(struct drive *self)
{
    uint64_t id = self->model.count > 0 ? dice(self, self->model.count) : 0;
    model_remove_before(&self->model, log_first_position(self->script->log));
    drive_forget_unlinked(self);
    if (self->model.count > 0 && self->model.record[id].state == MODEL_THERE)
        drive_read_from(self, self->model.record[id].position);
}

static void drive_append(struct drive *self)
{
    static const int errors[] = {EIO, ENOSPC, EROFS};
    uint64_t count = 1 + dice(self, IDS_PER_APPEND), first = self->model.count;
    if (first + count > LOG_SCRIPT_IDS_MAX)
        return;
    if (self->seed % 2 == 0 && dice(self, 4) == 0) {
        self->faults++;
        self->model.has_failed = true;
        faulty_os_fail(self->disk, dice(self, 12), 1 + dice(self, 3), (enum faulty_fault)dice(self, 3), errors[dice(self, 3)]);
    }
    self->sent_at = faulty_os_op_count(self->disk);
    self->sent_first = first;
    self->model.count += count;
    log_script_send(self->script, first, count);
    faulty_os_fail(self->disk, 0, 0, FAULTY_ERROR, 0);
    for (uint64_t id = first; id < first + count; id++)
        model_answer(&self->model, id, self->script->results[id] == APPEND_DURABLE, self->script->positions[id]);
    log_hold(self->script->log, log_durable_position(self->script->log));
    model_remove_before(&self->model, log_first_position(self->script->log));
}

/* Sometimes a call of it fails; then it is started again. */
static void drive_start(struct drive *self)
{
    log_script_reset(self->script, self->disk);
    self->model.has_failed |= self->seed % 2 == 0;
    if (self->seed % 2 == 0 && dice(self, 3) == 0)
        faulty_os_fail(self->disk, dice(self, 20), 1, (enum faulty_fault)dice(self, 3), EIO);
    bool opened = log_script_open(self->script);
    if (opened)
        log_script_close(self->script);
    faulty_os_kill(self->disk);
    faulty_os_fail(self->disk, 0, 0, FAULTY_ERROR, 0);
    if (!log_script_open(self->script))
        drive_fail(self, self->script->error);
    model_end_life(&self->model, self->sent_first);
    self->sent_at = faulty_os_op_count(self->disk);
    self->sent_first = self->model.count;
    drive_read(self);
}

/* At a moment of the last append: what was not answered by then may be there. */
static size_t drive_cut(struct drive *self)
{
    size_t cut = self->sent_at + (size_t)dice(self, faulty_os_op_count(self->disk) - self->sent_at + 1);
    bool answered[LOG_SCRIPT_IDS_MAX] = {false};
    uint64_t id;
    for (size_t op = self->sent_at; op < cut; op++) {
        if (faulty_os_op_mark(self->disk, op, &id))
            answered[id] = true;
    }
    for (id = self->sent_first; id < self->model.count; id++) {
        if (!answered[id])
            model_answer(&self->model, id, false, 0);
    }
    return cut;
}

static void drive_crash(struct drive *self, bool power)
{
    size_t cut = drive_cut(self);
    struct faulty_choice choice = {.mode = FAULTY_KEEP_RANDOM,
                                   .seed = dice(self, UINT32_MAX),
                                   .sector_bytes = dice(self, 2) ? 512 : 64,
                                   .stale = dice(self, 2)};
    log_script_close(self->script);
    struct faulty_os *after =
        power ? faulty_os_crash(self->disk, cut, &choice) : faulty_os_kill_at(self->disk, cut);
    faulty_os_free(self->disk);
    self->disk = after;
    self->kills += !power;
    self->losses += power;
    drive_start(self);
}

static void drive_step(struct drive *self)
{
    uint64_t what = dice(self, 16);
    if (what < 8)
        drive_append(self);
    else if (what < 10)
        drive_read(self);
    else if (what < 12)
        drive_read_somewhere(self);
    else if (what < 14)
        drive_crash(self, what == 12);
    else {
        log_script_close(self->script);
        drive_start(self);
    }
}

static void drive_run(struct drive *self, uint64_t seed)
{
    self->seed = self->random = seed;
    self->model = (struct model){0};
    self->disk = faulty_os_new();
    self->script = log_script_new(self->disk);
    self->script->bytes_max = SEGMENTS_MAX * LOG_SCRIPT_SEGMENT_BYTES;
    drive_start(self);
    for (self->step = 0; self->step < STEPS; self->step++)
        drive_step(self);
    drive_read(self);
    log_script_free(self->script);
    faulty_os_free(self->disk);
}

static void test_model__the_log_does_what_the_model_says(void **state)
{
    (void)state;
    const char *one = getenv("VITRACE_MODEL_SEED"), *many = getenv("VITRACE_MODEL_SEEDS");
    uint64_t first = one != NULL ? strtoull(one, NULL, 10) : 1;
    uint64_t count = one != NULL ? 1 : many != NULL ? strtoull(many, NULL, 10) : SEEDS_DEFAULT, records = 0;
    struct drive *drive = calloc(1, sizeof *drive);
    assert_non_null(drive);
    for (uint64_t seed = first; seed < first + count; seed++) {
        drive_run(drive, seed);
        records += drive->model.count;
    }
    print_message("%llu seeds of %u steps: %llu records, %u appends with failing calls, %u kills, %u losses of power\n",
                  (unsigned long long)count, STEPS, (unsigned long long)records, drive->faults, drive->kills,
                  drive->losses);
    free(drive);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_model__the_log_does_what_the_model_says),
    };
    diag_set_level(DIAG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

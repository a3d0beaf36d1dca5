/*
 * Bit rot: every bit of every byte of a log of three small segments, one at a time. The log opens, the damage costs the
 * record that it is in and is reported at its place, and a start changes nothing about that. Of a segment's header, two
 * copies of which one is enough, a single bit costs nothing; the bytes between them are read by nobody.
 */
#include "tests/support/log_script.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "collector/base/diag.h"
#include "collector/log/log_internal.h"

#define IDS 12u

struct rot {
    struct faulty_os *disk;
    struct log_script *script;
    struct log_script_view whole, view;
    size_t flips, lost, healed;
};

static void rot_begin(struct rot *self)
{
    self->disk = faulty_os_new();
    self->script = log_script_new(self->disk);
    self->script->segment_bytes = LOG_HEADER_BYTES + 1500;
    assert_true(log_script_open(self->script));
    for (uint64_t id = 0; id < IDS; id++)
        log_script_send(self->script, id, 1);
    log_script_read(self->script, &self->whole);
    assert_int_equal(self->whole.count, IDS);
    log_script_close(self->script);
    assert_true(faulty_os_name(self->disk, 2) != NULL);
}

static void rot_end(struct rot *self)
{
    print_message("%zu flips: %zu cost their record, %zu cost nothing\n", self->flips, self->lost, self->healed);
    log_script_free(self->script);
    faulty_os_free(self->disk);
}

/* The id of the record that the byte of this position belongs to. */
static uint64_t rot_victim(const struct rot *self, uint64_t position)
{
    uint64_t id = IDS;
    for (uint64_t i = 0; i < IDS; i++) {
        if (self->whole.positions[i] <= position)
            id = i;
    }
    return id;
}

/* All but `victim` (IDS = nobody) are there, equal, at their places; the hole is reported, or counted as a torn tail. */
static void rot_check(struct rot *self, uint64_t victim, const char *name, size_t offset)
{
    size_t at = 0, torn = (size_t)counters_find(&self->script->counters, COUNTER_LOG_TORN_BYTES);
    log_script_read(self->script, &self->view);
    bool good = !self->view.failed && self->view.count == IDS - (victim < IDS);
    for (uint64_t id = 0; good && id < IDS; id++) {
        if (id == victim)
            continue;
        good = self->view.ids[at] == id && self->view.positions[at] == self->whole.positions[id];
        at++;
    }
    if (!good || (self->view.corrupt > 0 || torn > 0) != (victim < IDS) || self->view.corrupt > 1)
        fail_msg("%s, byte %zu: %zu records, %zu holes, %zu torn bytes; record %d was hit", name, offset,
                 self->view.count, self->view.corrupt, torn, (int)victim);
    self->lost += victim < IDS;
    self->healed += victim == IDS;
    self->flips++;
}

static void rot_open(struct rot *self, bool read_only, const char *name, size_t offset)
{
    log_script_reset(self->script, self->disk);
    struct log_options options = {.folder = "log", .os = &self->disk->os, .counters = &self->script->counters};
    bool opened = read_only ? (self->script->log = log_open_read_only(&options, self->script->error,
                                                                      sizeof self->script->error)) != NULL
                            : log_script_open(self->script);
    if (!opened)
        fail_msg("%s, byte %zu: refused: %s", name, offset, self->script->error);
}

/* A start cuts what cannot be told from a torn tail, so it gets a copy. */
static void rot_start_on_copy(struct rot *self, uint64_t victim, const char *name, size_t offset)
{
    struct faulty_os *disk = self->disk;
    self->disk = faulty_os_kill_at(disk, faulty_os_op_count(disk));
    for (size_t i = 0; faulty_os_name(disk, i) != NULL; i++) {
        const struct faulty_file *from = faulty_os_find(disk, faulty_os_name(disk, i));
        faulty_os_put(self->disk, faulty_os_name(disk, i), from->data, from->size);
    }
    rot_open(self, false, name, offset);
    rot_check(self, victim, name, offset);
    log_script_send(self->script, 100, 1);
    assert_int_equal(self->script->results[100], APPEND_DURABLE);
    log_script_close(self->script);
    faulty_os_free(self->disk);
    self->disk = disk;
}

static void rot_flip(struct rot *self, const char *name, size_t offset, uint8_t mask, bool start)
{
    struct faulty_file *file = faulty_os_find(self->disk, name);
    uint64_t first, victim = IDS;
    assert_true(log_segment_parse_name(name, &first));
    if (offset >= LOG_HEADER_BYTES)
        victim = rot_victim(self, first + offset - LOG_HEADER_BYTES);
    file->data[offset] ^= mask;
    if (start) {
        rot_start_on_copy(self, victim, name, offset);
    } else {
        rot_open(self, true, name, offset);
        rot_check(self, victim, name, offset);
        log_script_close(self->script);
    }
    file->data[offset] ^= mask;
}

static bool is_header_copy(size_t offset)
{
    return offset % LOG_HEADER_SECOND_COPY < LOG_HEADER_COPY_BYTES;
}

/* Every byte of every file, with whether anybody reads it: the gaps between the header's copies nobody does. */
static void rot_everywhere(struct rot *self, void (*visit)(struct rot *self, const char *name, size_t offset, bool is_read))
{
    rot_begin(self);
    for (size_t i = 0; faulty_os_name(self->disk, i) != NULL; i++) {
        const char *name = faulty_os_name(self->disk, i);
        size_t size = faulty_os_find(self->disk, name)->size;
        for (size_t offset = 0; offset < size; offset++)
            visit(self, name, offset, offset >= LOG_HEADER_BYTES || is_header_copy(offset));
    }
    rot_end(self);
}

static void rot_each_bit(struct rot *self, const char *name, size_t offset, bool is_read)
{
    for (unsigned bit = 0; bit < (is_read ? 8u : 1u); bit++)
        rot_flip(self, name, offset, (uint8_t)(1u << bit), false);
}

static void rot_and_start(struct rot *self, const char *name, size_t offset, bool is_read)
{
    if (is_read)
        rot_flip(self, name, offset, 0xff, true);
}

static void test_flip__any_bit_costs_no_more_than_its_record(void **state)
{
    struct rot rot = {0};
    (void)state;
    rot_everywhere(&rot, rot_each_bit);
}

static void test_flip__a_start_over_any_rotten_byte_loses_no_more_and_goes_on(void **state)
{
    struct rot rot = {0};
    (void)state;
    rot_everywhere(&rot, rot_and_start);
}

/* Both copies of a header at once: its segment is passed over, and nothing else. */
static void test_flip__a_segment_without_a_header_costs_that_segment(void **state)
{
    struct rot rot = {0};
    (void)state;
    rot_begin(&rot);
    for (size_t i = 0; faulty_os_name(rot.disk, i) != NULL; i++) {
        struct faulty_file *file = faulty_os_find(rot.disk, faulty_os_name(rot.disk, i));
        file->data[5] ^= 4;
        file->data[LOG_HEADER_SECOND_COPY + 5] ^= 4;
        rot_open(&rot, true, "both headers", 5);
        log_script_read(rot.script, &rot.view);
        assert_false(rot.view.failed);
        assert_int_equal(rot.view.corrupt, 1);
        assert_true(rot.view.count > 0 && rot.view.count < IDS);
        log_script_close(rot.script);
        file->data[5] ^= 4;
        file->data[LOG_HEADER_SECOND_COPY + 5] ^= 4;
    }
    rot_end(&rot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flip__any_bit_costs_no_more_than_its_record),
        cmocka_unit_test(test_flip__a_start_over_any_rotten_byte_loses_no_more_and_goes_on),
        cmocka_unit_test(test_flip__a_segment_without_a_header_costs_that_segment),
    };
    if (freopen("/dev/null", "w", stderr) == NULL) /* tens of thousands of times "unreadable" */
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}

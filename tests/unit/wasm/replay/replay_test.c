/*
 * The stream reader, and the golden session. After a deliberate change of the bytes, write the golden files anew
 * (native): VITRACE_WRITE_GOLDEN=tests/golden/replay/session <this program>
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/unit/wasm/core/rig.h"
#include "wasm/replay/replay.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define STREAM_BYTES_MAX 1048576u

/* A stream in memory, and the beacons that came out of it. */
struct tape {
    uint8_t in[STREAM_BYTES_MAX];
    size_t in_size, at;
    uint8_t out[STREAM_BYTES_MAX];
    size_t out_size;
    unsigned beacons, beacons_max;
};

static struct tape tape;

static int tape_read(void *context, void *out, size_t size)
{
    struct tape *self = context;
    size_t left = self->in_size - self->at;
    size_t taken = size < left ? size : left;
    memcpy(out, self->in + self->at, taken);
    self->at += taken;
    return taken == size ? 1 : taken == 0 ? 0 : -1;
}

static bool tape_beacon(void *context, struct slice beacon)
{
    struct tape *self = context;
    uint32_t size = (uint32_t)beacon.size;
    if (self->beacons == self->beacons_max || sizeof self->out - self->out_size < size + 4)
        return false;
    for (unsigned i = 0; i < 4; i++)
        self->out[self->out_size++] = (uint8_t)(size >> (8 * i));
    memcpy(self->out + self->out_size, beacon.data, size);
    self->out_size += size;
    self->beacons++;
    return true;
}

static enum replay_status run(void)
{
    struct replay_io io = {&tape, tape_read, tape_beacon};
    void *memory = aligned_alloc(64, (replay_bytes() + 63) & ~(size_t)63);
    assert_non_null(memory);
    tape.at = tape.out_size = 0;
    tape.beacons = 0;
    enum replay_status status = replay_run(memory, &io);
    free(memory);
    return status;
}

static void put(const void *bytes, size_t size)
{
    assert_true(sizeof tape.in - tape.in_size >= size);
    memcpy(tape.in + tape.in_size, bytes, size);
    tape.in_size += size;
}

static void put_frame(double mono, uint32_t words, uint32_t string_bytes, uint32_t op)
{
    double clocks[2] = {mono, 1.7e12 + mono};
    uint32_t sizes[4] = {words, string_bytes, op, 0};
    put(clocks, sizeof clocks);
    put(sizes, sizeof sizes);
}

/* Moves the rig's inbox into the stream. NaN is written as one pattern, so that the golden stream is stable. */
static void put_batch(struct rig *rig, double mono)
{
    unsigned bytes = rig->string_bytes > 0 ? rig->string_bytes - 1 : 0;
    put_frame(mono, rig->word_count, bytes, REPLAY_TAKE);
    for (unsigned i = 0; i < rig->word_count; i++) {
        uint64_t nan_bits = 0x7ff8000000000000u;
        put(isnan(rig->words[i]) ? (const void *)&nan_bits : &rig->words[i], 8);
    }
    put(rig->strings, bytes);
    rig->word_count = rig->string_bytes = rig->string_count = 0;
}

static void put_load(struct rig *rig)
{
    rig_put_start(rig);
    double *n = rig_record(rig, INBOX_NAVIGATION, INBOX_NAVIGATION_WORDS);
    n[INBOX_NAVIGATION_NAME] = rig_text(rig, "https://shop.example/p/7?q=1");
    n[INBOX_NAVIGATION_TYPE] = rig_text(rig, "navigate");
    n[INBOX_NAVIGATION_FETCH_START] = 1.1;
    n[INBOX_NAVIGATION_DOMAIN_LOOKUP_START] = n[INBOX_NAVIGATION_DOMAIN_LOOKUP_END] = 1.1;
    n[INBOX_NAVIGATION_CONNECT_START] = 1.1;
    n[INBOX_NAVIGATION_CONNECT_END] = 31.7;
    n[INBOX_NAVIGATION_SECURE_CONNECTION_START] = 12.3;
    n[INBOX_NAVIGATION_REQUEST_START] = 31.8;
    n[INBOX_NAVIGATION_RESPONSE_START] = 210.3;
    n[INBOX_NAVIGATION_RESPONSE_END] = 215.7;
    n[INBOX_NAVIGATION_SERVER_TIMINGS] = 1;
    rig_put_server_timing(rig, "trace", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-03");
    double *paint = rig_record(rig, INBOX_PAINT, INBOX_PAINT_WORDS);
    paint[INBOX_PAINT_NAME] = rig_text(rig, "first-contentful-paint");
    paint[INBOX_PAINT_START_TIME] = 301.1;
    double *lcp = rig_record(rig, INBOX_LARGEST_PAINT, INBOX_LARGEST_PAINT_WORDS);
    lcp[INBOX_LARGEST_PAINT_START_TIME] = lcp[INBOX_LARGEST_PAINT_RENDER_TIME] = 612.3999999999999;
    lcp[INBOX_LARGEST_PAINT_SIZE] = 82000;
    lcp[INBOX_LARGEST_PAINT_URL] = rig_text(rig, "https://cdn.example/i/3.png");
    lcp[INBOX_LARGEST_PAINT_TARGET] = rig_text(rig, "main>img.hero");
    lcp[INBOX_LARGEST_PAINT_LAST] = 1;
}

static void put_interaction(struct rig *rig, unsigned i)
{
    double *event = rig_record(rig, INBOX_EVENT, INBOX_EVENT_WORDS);
    event[INBOX_EVENT_NAME] = rig_text(rig, i % 2 ? "pointerup" : "keydown");
    event[INBOX_EVENT_START_TIME] = 2000 + i * 333.3;
    event[INBOX_EVENT_DURATION] = 16 + i * 8;
    event[INBOX_EVENT_PROCESSING_START] = 2001.7 + i * 333.3;
    event[INBOX_EVENT_PROCESSING_END] = 2009.1 + i * 333.3;
    event[INBOX_EVENT_INTERACTION_ID] = 1000 + i * 7;
    event[INBOX_EVENT_TARGET] = rig_text(rig, "#buy");
    double *shift = rig_record(rig, INBOX_LAYOUT_SHIFT, INBOX_LAYOUT_SHIFT_WORDS);
    shift[INBOX_LAYOUT_SHIFT_START_TIME] = 2100 + i * 333.3;
    shift[INBOX_LAYOUT_SHIFT_VALUE] = 0.1 / (i + 3);
    shift[INBOX_LAYOUT_SHIFT_HAD_RECENT_INPUT] = 0;
    shift[INBOX_LAYOUT_SHIFT_TARGET] = rig_text(rig, "div.ad");
    double *idle = rig_record(rig, INBOX_LIFECYCLE, INBOX_LIFECYCLE_WORDS);
    idle[INBOX_LIFECYCLE_FIELD_EVENT] = INBOX_LIFECYCLE_IDLE;
    idle[INBOX_LIFECYCLE_FIELD_TIME] = 2200 + i * 333.3;
}

static void put_metric(struct rig *rig)
{
    double *metric = rig_record(rig, INBOX_CUSTOM_METRIC, INBOX_CUSTOM_METRIC_WORDS);
    metric[INBOX_CUSTOM_METRIC_START_TIME] = 8000.4;
    metric[INBOX_CUSTOM_METRIC_NAME] = rig_text(rig, "cart.value");
    metric[INBOX_CUSTOM_METRIC_VALUE] = 42.1;
    metric[INBOX_CUSTOM_METRIC_UNIT] = rig_text(rig, "EUR");
    metric[INBOX_CUSTOM_METRIC_ATTRIBUTES] = 1;
    double *attribute = rig_record(rig, INBOX_ATTRIBUTE, INBOX_ATTRIBUTE_WORDS);
    attribute[INBOX_ATTRIBUTE_KEY] = rig_text(rig, "items");
    attribute[INBOX_ATTRIBUTE_NUMBER] = 3;
}

/* What pages have rarely, one of each. */
static void put_rarities(struct rig *rig)
{
    double *element = rig_record(rig, INBOX_ELEMENT, INBOX_ELEMENT_WORDS);
    element[INBOX_ELEMENT_NAME] = rig_text(rig, "image-paint");
    element[INBOX_ELEMENT_IDENTIFIER] = rig_text(rig, "hero");
    element[INBOX_ELEMENT_START_TIME] = element[INBOX_ELEMENT_RENDER_TIME] = 612.4;
    element[INBOX_ELEMENT_URL] = rig_text(rig, "https://cdn.example/i/3.png?w=2");
    double *reason = rig_record(rig, INBOX_NOT_RESTORED, INBOX_NOT_RESTORED_WORDS);
    reason[INBOX_NOT_RESTORED_REASON] = rig_text(rig, "unload-listener");
    double *memory = rig_record(rig, INBOX_MEMORY_MEASUREMENT, INBOX_MEMORY_MEASUREMENT_WORDS);
    memory[INBOX_MEMORY_MEASUREMENT_START_TIME] = 5000;
    memory[INBOX_MEMORY_MEASUREMENT_BYTES] = 2103400;
    double *rage = rig_record(rig, INBOX_CLICK_PATTERN, INBOX_CLICK_PATTERN_WORDS);
    rage[INBOX_CLICK_PATTERN_START_TIME] = 7000.3;
    rage[INBOX_CLICK_PATTERN_TYPE] = vitrace_v1_ClickPatternType_CLICK_PATTERN_TYPE_RAGE;
    rage[INBOX_CLICK_PATTERN_COUNT] = 5;
    rage[INBOX_CLICK_PATTERN_TARGET] = rig_text(rig, "#buy");
    rage[INBOX_CLICK_PATTERN_DURATION] = 811.9;
    put_metric(rig);
}

static void put_hide(struct rig *rig, double time)
{
    double *hidden = rig_record(rig, INBOX_VISIBILITY, INBOX_VISIBILITY_WORDS);
    hidden[INBOX_VISIBILITY_START_TIME] = time;
    hidden[INBOX_VISIBILITY_HIDDEN] = 1;
    hidden[INBOX_VISIBILITY_BUFFERED] = 0;
}

/* A load, 300 requests, a dozen interactions, hidden: several segments, and every kind of arithmetic. */
static void record_session(void)
{
    struct rig *rig = rig_new();
    assert_non_null(rig);
    tape.in_size = 0;
    tape.beacons_max = UINT32_MAX;
    put_load(rig);
    put_batch(rig, 700.1);
    for (unsigned i = 0; i < 300; i++) {
        char url[80];
        snprintf(url, sizeof url, "https://cdn.example/i/%u.png?v=%u", i % 250, i);
        rig_put_resource(rig, url, 100 + i * 1.7);
        if (i % 20 == 19)
            put_batch(rig, 800 + i);
    }
    put_frame(1500, 0, 0, REPLAY_SEAL);
    for (unsigned i = 0; i < 12; i++) {
        put_interaction(rig, i);
        put_batch(rig, 2300 + i * 333.3);
    }
    put_rarities(rig);
    put_hide(rig, 9000.25);
    put_batch(rig, 9000.5);
    put_frame(9001, 0, 0, REPLAY_SEAL_FINAL);
    rig_free(rig);
}

static void test_replay__gives_the_beacons_of_the_page(void **state)
{
    (void)state;
    struct rig *rig = rig_new();
    assert_non_null(rig);
    enum beacon_status status;
    size_t at = 0;
    record_session();
    assert_int_equal(run(), REPLAY_OK);
    assert_true(tape.beacons >= 3);
    for (size_t frame = 0; frame < tape.in_size;) { /* the same calls, made here */
        double clocks[2];
        uint32_t sizes[4];
        static double words[INBOX_WORDS];
        memcpy(clocks, tape.in + frame, 16);
        memcpy(sizes, tape.in + frame + 16, 16);
        memcpy(words, tape.in + frame + 32, sizes[0] * 8);
        struct core_clock clock = {clocks[0], clocks[1]};
        if (sizes[2] == REPLAY_TAKE)
            core_take(rig->core, clock, words, sizes[0], slice_of(tape.in + frame + 32 + sizes[0] * 8, sizes[1]));
        else
            core_seal(rig->core, clock, sizes[2] == REPLAY_SEAL_FINAL);
        frame += 32 + sizes[0] * 8 + sizes[1];
        while (rig_next_beacon(rig, &status)) {
            assert_int_equal(status, BEACON_OK);
            assert_memory_equal(tape.out + at + 4, rig->beacon.data, rig->beacon.size);
            at += 4 + rig->beacon.size;
        }
    }
    assert_int_equal(at, tape.out_size);
    assert_true(rig->summary.ledger.final);
    assert_int_equal(rig->summary.ledger.entries_encoded, 3 + 300 + 24 + 5 + 1);
    rig_free(rig);
}

static void test_replay__a_stream_cut_short_is_truncated_or_whole(void **state)
{
    (void)state;
    record_session();
    size_t whole = tape.in_size;
    for (size_t cut = 0; cut < whole; cut += cut < 6000 ? 1 : 997) {
        tape.in_size = cut;
        enum replay_status status = run();
        assert_true(status == REPLAY_TRUNCATED || status == REPLAY_OK);
    }
    tape.in_size = 0;
    assert_int_equal(run(), REPLAY_OK);
}

static void test_replay__refuses_frames_that_no_bridge_writes(void **state)
{
    (void)state;
    static const uint32_t bad[][3] = {{INBOX_WORDS + 1, 0, 0},
                                      {0, INBOX_STRING_BYTES + 1, 0},
                                      {UINT32_MAX, UINT32_MAX, 0},
                                      {0, 0, 3},
                                      {1, 0, 1},
                                      {0, 1, 2}};
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        tape.in_size = 0;
        put_frame(1, bad[i][0], bad[i][1], bad[i][2]);
        assert_int_equal(run(), REPLAY_BAD_FRAME);
    }
    tape.in_size = 0;
    put_frame(1, 0, 0, REPLAY_SEAL);
    assert_int_equal(run(), REPLAY_NOT_STARTED);
}

static void test_replay__stops_when_the_output_does(void **state)
{
    (void)state;
    record_session();
    tape.beacons_max = 1;
    assert_int_equal(run(), REPLAY_STOPPED);
    assert_int_equal(tape.beacons, 1);
    assert_non_null(replay_status_text(REPLAY_STOPPED));
}

static void write_file(const char *base, const char *suffix, const uint8_t *bytes, size_t size)
{
    char path[512];
    snprintf(path, sizeof path, "%s.%s", base, suffix);
    FILE *file = fopen(path, "wb");
    if (file == NULL || fwrite(bytes, 1, size, file) != size || fclose(file) != 0)
        perror(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replay__gives_the_beacons_of_the_page),
        cmocka_unit_test(test_replay__a_stream_cut_short_is_truncated_or_whole),
        cmocka_unit_test(test_replay__refuses_frames_that_no_bridge_writes),
        cmocka_unit_test(test_replay__stops_when_the_output_does),
    };
    const char *golden = getenv("VITRACE_WRITE_GOLDEN");
    if (golden != NULL) {
        record_session();
        run();
        write_file(golden, "stream", tape.in, tape.in_size);
        write_file(golden, "beacons", tape.out, tape.out_size);
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}

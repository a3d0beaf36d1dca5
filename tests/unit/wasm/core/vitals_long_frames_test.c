#include "vitals_fixture.h"

#include <math.h>

static struct vitals_script script(double start_time, double duration, double forced, uint32_t url)
{
    return (struct vitals_script){{{start_time, duration, forced}}, {.text = {[VITAL_SOURCE_URL] = url}, .position = -1}};
}

static void take_frame(struct vitals *page, double start_time, double duration, double style_start,
                       const struct vitals_script *scripts, uint32_t count)
{
    struct vitals_long_frame frame = {{{start_time, duration, style_start}}, .script_count = count};
    for (uint32_t i = 0; i < count; i++)
        frame.scripts[i] = scripts[i];
    vitals_take_long_frame(page, &frame);
}

/* One interaction from 1000 to 1100, processed from 1010 to 1020. */
static const struct vital *inp_of(struct vitals *page)
{
    take_event(page, 1, 1000, 100);
    vitals_idle(page);
    assert_measured(page, VITAL_INP, 100);
    return vitals_find(page, VITAL_INP);
}

static void assert_frames(const struct vital *vital, double scripts, double style, double paint, double unattributed)
{
    const double expected[] = {scripts, style, paint, unattributed};
    assert_true(vital->frames.known);
    for (unsigned i = 0; i < VITAL_FRAME_PARTS; i++)
        assert_true(vital->frames.parts[i] == expected[i]);
}

static void test_frames__are_unknown_when_none_overlaps_the_interaction(void **state)
{
    (void)state;
    struct vitals *page = page_open();
    take_frame(page, 900, 99.5, 990, NULL, 0);
    take_frame(page, 1020.5, 60, 1070, NULL, 0); /* behind the processing */
    assert_false(inp_of(page)->frames.known);
}

static void test_frames__tell_what_the_interaction_waited_for(void **state)
{
    (void)state;
    struct vitals *page = page_open();
    /* 950 to 1080; before the interaction, across its start, in its processing, and after it. */
    const struct vitals_script scripts[] = {script(955, 20, 0, 1), script(980, 32, 16, 2), script(1014, 6, 0, 3),
                                            script(1030, 10, 10, 4)};
    take_frame(page, 950, 130, 1060, scripts, 4);
    const struct vital *inp = inp_of(page);
    /* 12 of 32 ms lie behind the start, and so do 6 of the 16 forced. */
    assert_frames(inp, 6 + 6 + 0, 20 + 6 + 10, 20, 100 - 12 - 36 - 20);
    assert_int_equal(inp->frames.subpart, VITAL_INPUT_DELAY);
    assert_int_equal(inp->frames.longest.text[VITAL_SOURCE_URL], 2);
    assert_true(inp->frames.intersecting == 12);
}

static void test_frames__say_in_which_part_the_longest_script_began(void **state)
{
    (void)state;
    static const struct {
        double start;
        enum vital_subpart subpart;
    } cases[] = {{1009.5, VITAL_INPUT_DELAY},
                 {1010, VITAL_PROCESSING_DURATION},
                 {1019.5, VITAL_PROCESSING_DURATION},
                 {1020, VITAL_PRESENTATION_DELAY}};
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct vitals *page = page_open();
        const struct vitals_script scripts[] = {script(cases[i].start, 8, 0, 5), script(1050, 8, 0, 6)};
        take_frame(page, 1000, 90, 1080, scripts, 2);
        const struct vital *inp = inp_of(page);
        assert_int_equal(inp->frames.subpart, cases[i].subpart);
        assert_int_equal(inp->frames.longest.text[VITAL_SOURCE_URL], 5); /* of equal ones the first */
    }
}

static void test_frames__sum_scripts_in_order_of_time_whatever_order_they_came_in(void **state)
{
    (void)state;
    const struct vitals_script sorted[] = {script(1001, 8, 0, 1), script(1010.1, 8.1, 0, 2), script(1030.3, 7.7, 0, 3)};
    const struct vitals_script mixed[] = {sorted[2], sorted[0], sorted[1]};
    struct vitals *page = page_open();
    take_frame(page, 1000, 90, 1080, sorted, 3);
    struct vital_frames expected = inp_of(page)->frames;
    page = page_open();
    take_frame(page, 1000, 90, 1080, mixed, 3);
    struct vital_frames actual = inp_of(page)->frames;
    assert_true(actual.parts[0] == expected.parts[0]);
    assert_int_equal(actual.longest.text[VITAL_SOURCE_URL], 2);
}

static void test_frames__without_rendering_have_no_style_and_layout(void **state)
{
    (void)state;
    struct vitals *page = page_open();
    const struct vitals_script scripts[] = {script(1002, 60, 0, 1)};
    take_frame(page, 1000, 70, 0, scripts, 1);
    assert_frames(inp_of(page), 60, 0, 30, 10);
}

static void test_frames__that_come_after_the_interaction_was_judged_explain_it_still(void **state)
{
    (void)state;
    struct vitals *page = page_open();
    assert_false(inp_of(page)->frames.known);
    take_frame(page, 1000, 80, 1070, NULL, 0);
    vitals_hide(page, 2000);
    assert_frames(vitals_find(page, VITAL_INP), 0, 10, 20, 70);
}

static void test_frames__are_kept_for_candidates_and_the_recent_ones_for_events_to_come(void **state)
{
    (void)state;
    struct vitals *page = page_open();
    take_frame(page, 1000, 80, 1070, NULL, 0);
    inp_of(page);
    for (unsigned i = 0; i < 15; i++)
        take_frame(page, 2000 + i * 100, 60, 0, NULL, 0);
    vitals_hide(page, 4000);
    assert_int_equal(page->long_frames.count, 1 + LONG_FRAMES_RECENT);
    assert_true(page->long_frames.frames[0].start_time == 1000);
    assert_true(page->long_frames.frames[1].start_time == 2500);
    take_event(page, 2, 3450, 200); /* processed from 3460 to 3470: the last frame overlaps it */
    vitals_idle(page);
    assert_measured(page, VITAL_INP, 200);
    assert_frames(vitals_find(page, VITAL_INP), 0, 0, 0, 200);
    assert_int_equal(page->long_frames.count, 2);
}

static void test_frames__give_way_to_newer_ones_when_there_is_no_room(void **state)
{
    (void)state;
    struct vitals *page = page_open();
    struct vitals_script scripts[VITALS_FRAME_SCRIPTS_MAX];
    for (uint32_t i = 0; i < VITALS_FRAME_SCRIPTS_MAX; i++)
        scripts[i] = script(1000 + i, 1, 0, 100 + i);
    /* All of them overlap one interaction, so that none may be forgotten by rule. */
    vitals_take_event(page, &(struct vitals_event){.start_time = 900,
                                                   .duration = 5000,
                                                   .processing_start = 901,
                                                   .processing_end = 5900,
                                                   .interaction_id = 1});
    vitals_idle(page);
    for (uint32_t i = 0; i < 2 * LONG_FRAMES_MAX; i++) {
        take_frame(page, 1000 + i, 10, 0, scripts, i % (VITALS_FRAME_SCRIPTS_MAX + 1));
        assert_true(page->long_frames.count <= LONG_FRAMES_MAX);
        assert_true(page->long_frames.script_count <= LONG_FRAME_SCRIPTS_MAX);
    }
    const struct vitals_long_frames *kept = &page->long_frames;
    uint32_t script_count = 0;
    for (uint32_t i = 0; i < kept->count; i++)
        script_count += kept->frames[i].script_count;
    assert_int_equal(script_count, kept->script_count);
    assert_true(kept->frames[kept->count - 1].start_time == 1000 + 2 * LONG_FRAMES_MAX - 1);
}

static void test_frames__hold_the_texts_of_their_scripts(void **state)
{
    (void)state;
    struct vitals *page = page_open();
    const struct vitals_script scripts[] = {script(1002, 60, 0, 41)};
    assert_false(vitals_holds(page, 41));
    take_frame(page, 1000, 70, 0, scripts, 1);
    assert_true(vitals_holds(page, 41));
    vitals_restart(page, TYPE_BFCACHE, 2000, false);
    take_event(page, 2, 3000, 100);
    vitals_idle(page);
    assert_false(vitals_holds(page, 41));
}

static void test_frames__that_overflow_are_left_out_of_the_vital(void **state)
{
    (void)state;
    struct vitals *page = page_open();
    take_frame(page, 900, 1e308, -1e308, NULL, 0);
    assert_false(inp_of(page)->frames.known);
    take_frame(page, NAN, 10, 0, NULL, 0);
    assert_int_equal(page->long_frames.count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frames__are_unknown_when_none_overlaps_the_interaction),
        cmocka_unit_test(test_frames__tell_what_the_interaction_waited_for),
        cmocka_unit_test(test_frames__say_in_which_part_the_longest_script_began),
        cmocka_unit_test(test_frames__sum_scripts_in_order_of_time_whatever_order_they_came_in),
        cmocka_unit_test(test_frames__without_rendering_have_no_style_and_layout),
        cmocka_unit_test(test_frames__that_come_after_the_interaction_was_judged_explain_it_still),
        cmocka_unit_test(test_frames__are_kept_for_candidates_and_the_recent_ones_for_events_to_come),
        cmocka_unit_test(test_frames__give_way_to_newer_ones_when_there_is_no_room),
        cmocka_unit_test(test_frames__hold_the_texts_of_their_scripts),
        cmocka_unit_test(test_frames__that_overflow_are_left_out_of_the_vital),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

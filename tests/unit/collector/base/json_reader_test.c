#include "collector/base/json_reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static bool reads(const char *json, size_t size)
{
    uint8_t *copy = malloc(size + 1); /* exact bounds for the sanitizers */
    struct json_reader reader;
    memcpy(copy, json, size);
    uint8_t *exact = realloc(copy, size > 0 ? size : 1);
    json_reader_init(&reader, slice_of(exact, size));
    bool good = json_reader_skip(&reader) && json_reader_end(&reader);
    free(exact);
    return good;
}

static void test_json_reader__takes_what_rfc_8259_allows(void **state)
{
    (void)state;
    static const char *const good[] = {
        "{}",
        "[]",
        " [ ] ",
        "null",
        "true",
        "false",
        "0",
        "-0",
        "-1.5e+10",
        "1E2",
        "10",
        "\"\"",
        "\"\\u00e9\\n\\/\"",
        "{\"a\":1}",
        "{\"a\":{\"b\":[1,2,{\"c\":null}]},\"d\":\"x\"}",
        "[[],[[]],{}]",
        "\t\r\n[1 , 2]\n",
        "\"\x7f\xc3\xa9\"",
        "{\"a\":1,\"a\":2}",
        "[\"\\ud83d\\ude00\"]",
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        if (!reads(good[i], strlen(good[i])))
            fail_msg("refused: %s", good[i]);
}

static void test_json_reader__refuses_what_it_does_not(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",         " ",           "{",
        "}",        "[",           "]",
        "[1,]",     "[,1]",        "[1 2]",
        "{\"a\"}",  "{\"a\":}",    "{\"a\":1,}",
        "{,}",      "{a:1}",       "{1:1}",
        "{'a':1}",  "[1}",         "{\"a\":1]",
        "01",       "-",           "+1",
        ".5",       "1.",          "1e",
        "1e+",      "0x1",         "NaN",
        "Infinity", "nul",         "nulll",
        "truE",     "\"",          "\"\\\"",
        "\"\\x\"",  "\"\\u12g4\"", "\"\\u123\"",
        "\"\n\"",   "\"\t\"",      "{} {}",
        "1 1",      "// x\n1",     "\xef\xbb\xbf{}",
        "[1]]",     "{\"a\" 1}",   "{\"a\":1 \"b\":2}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (reads(bad[i], strlen(bad[i])))
            fail_msg("taken: %s", bad[i]);
    assert_false(reads("[\0]", 3));
}

static void test_json_reader__every_strict_prefix_is_refused(void **state)
{
    (void)state;
    static const char json[] = "{\"a\":[1.5e3,\"x\\u00e9\\ud83d\\ude00\\n\",{\"b\":true,\"c\":null}],\"d\":{\"e\":[]}}";
    for (size_t size = 0; size < sizeof json - 1; size++)
        assert_false(reads(json, size));
    assert_true(reads(json, sizeof json - 1));
}

static void nest(char *out, unsigned levels)
{
    for (unsigned i = 0; i < levels; i++)
        out[i] = '[', out[2 * levels - 1 - i] = ']';
    out[2 * levels] = '\0';
}

static void test_json_reader__goes_64_levels_deep_and_no_further(void **state)
{
    (void)state;
    char json[4 * JSON_READER_DEPTH_MAX];
    nest(json, JSON_READER_DEPTH_MAX);
    assert_true(reads(json, strlen(json)));
    nest(json, JSON_READER_DEPTH_MAX + 1);
    assert_false(reads(json, strlen(json)));
}

static void expect_text(const char *json, const char *expected, size_t size)
{
    struct json_reader reader;
    struct json_reader_text text;
    uint8_t out[64];
    json_reader_init(&reader, slice_text(json));
    assert_true(json_reader_take_text(&reader, &text));
    assert_true(text.escaped);
    size_t used = json_reader_decode(&text, out);
    assert_int_equal(used, size);
    assert_true(used <= text.raw.size);
    assert_memory_equal(out, expected, size);
}

static void test_json_reader__decodes_escapes_and_mends_lone_surrogates(void **state)
{
    (void)state;
    expect_text("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t", 8);
    expect_text("\"\\u0041\\u00e9\\u20AC\\u0000\"", "A\xc3\xa9\xe2\x82\xac\0", 7);
    expect_text("\"\\ud83d\\ude00\"", "\xf0\x9f\x98\x80", 4);
    expect_text("\"\\ud83d\"", "\xef\xbf\xbd", 3);
    expect_text("\"\\ude00x\"", "\xef\xbf\xbdx", 4);
    expect_text("\"\\ud83d\\u0041\"",
                "\xef\xbf\xbd"
                "A",
                4);
    expect_text("\"\\ud83dude00\"", "\xef\xbf\xbdude00", 8);
    expect_text("\"\\ud83d\\ud83d\\ude00\"", "\xef\xbf\xbd\xf0\x9f\x98\x80", 7);
}

static void test_json_reader__gives_keys_decoded_and_values_to_skip(void **state)
{
    (void)state;
    struct json_reader reader;
    struct slice key;
    bool value = false;
    json_reader_init(&reader, slice_text("{\"x\":[{\"y\":[1]},2],\"\\u0061b\":true}"));
    assert_true(json_reader_enter(&reader));
    assert_true(json_reader_next_key(&reader, &key));
    assert_true(slice_equal(key, slice_text("x")));
    assert_true(json_reader_skip(&reader));
    assert_true(json_reader_next_key(&reader, &key));
    assert_true(slice_equal(key, slice_text("ab")));
    assert_true(json_reader_take_bool(&reader, &value));
    assert_true(value);
    assert_false(json_reader_next_key(&reader, &key));
    assert_true(json_reader_end(&reader));
}

static void test_json_reader__failure_sticks(void **state)
{
    (void)state;
    struct json_reader reader;
    struct slice digits;
    struct json_reader_text text;
    json_reader_init(&reader, slice_text("[1,2]"));
    assert_true(json_reader_enter(&reader));
    assert_true(json_reader_next_item(&reader));
    assert_false(json_reader_take_text(&reader, &text));
    assert_false(json_reader_take_number(&reader, &digits));
    assert_false(json_reader_next_item(&reader));
    assert_false(json_reader_skip(&reader));
    assert_false(json_reader_end(&reader));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_reader__takes_what_rfc_8259_allows),
        cmocka_unit_test(test_json_reader__refuses_what_it_does_not),
        cmocka_unit_test(test_json_reader__every_strict_prefix_is_refused),
        cmocka_unit_test(test_json_reader__goes_64_levels_deep_and_no_further),
        cmocka_unit_test(test_json_reader__decodes_escapes_and_mends_lone_surrogates),
        cmocka_unit_test(test_json_reader__gives_keys_decoded_and_values_to_skip),
        cmocka_unit_test(test_json_reader__failure_sticks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

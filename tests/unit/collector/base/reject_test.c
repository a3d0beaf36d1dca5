#include "collector/base/reject.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static struct reject reject;

static void assert_path(const char *path, const char *expected)
{
    reject_set_path(&reject, slice_text(path), false);
    if (strcmp(reject.path, expected) != 0)
        fail_msg("%s -> %s", path, reject.path);
}

static void test_reject__words_of_a_path_are_kept_and_what_may_be_somebody_is_not(void **state)
{
    (void)state;
    assert_path("/v1/beacon", "/v1/beacon");
    assert_path("/wp-admin/setup_config.php", "/wp-admin/setup_config.php");
    assert_path("/", "/");
    assert_path("", "");
    assert_path("*", "");
    assert_path("//a//", "//a//");
    assert_path("/reset/ann@example.com", "/reset/(redacted)");
    assert_path("/reset/ann%40example.com/x", "/reset/(redacted)/x");
    assert_path("/u/5551234567", "/u/(redacted)");
    assert_path("/orders/2026", "/orders/2026");
    assert_path("/orders/20261", "/orders/(redacted)");
    assert_path("/t/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0", "/t/(redacted)");
    assert_path("/abcdefghijklmnopqrstuvwx", "/abcdefghijklmnopqrstuvwx");
    assert_path("/abcdefghijklmnopqrstuvwxy", "/(redacted)");
    assert_path("/a b\x1b[31m\r\n", "/(redacted)");
    assert_path("/caf\xc3\xa9", "/(redacted)");
    assert_path("/one/two/three/four/five/six/seven/eight/nine/ten/eleven/twelve", "/one/two/three/four/five/six/seven/eight/nine/ten/eleven/...");
    reject_set_path(&reject, slice_text("/very.long.package.of.a.method.of.ours/Export"), true);
    assert_string_equal(reject.path, "/very.long.package.of.a.method.of.ours/Export");
}

/* Every byte in every place: nothing that could break a line, a terminal or a page comes through, and nothing is overrun. */
static void test_reject__no_byte_gets_through_that_is_not_printable(void **state)
{
    char text[200];
    (void)state;
    for (unsigned byte = 0; byte < 256; byte++)
        for (size_t size = 1; size < sizeof text; size += 13) {
            memset(text, 'a', size);
            text[size / 2] = (char)byte;
            text[0] = '/';
            reject_set_path(&reject, slice_of(text, size), false);
            reject_set_app(&reject, slice_of(text + 1, size - 1));
            reject_set_origin(&reject, slice_of(text, size));
            const char *const all[] = {reject.path, reject.app, reject.origin};
            for (unsigned i = 0; i < 3; i++)
                for (const char *at = all[i]; *at != '\0'; at++)
                    assert_in_range(*at, '!', '~');
            assert_true(strlen(reject.path) < REJECT_PATH_BYTES && strlen(reject.app) < REJECT_APP_BYTES);
        }
}

static void assert_origin(const char *origin, const char *expected)
{
    reject_set_origin(&reject, slice_text(origin));
    if (strcmp(reject.origin, expected) != 0)
        fail_msg("%s -> %s", origin, reject.origin);
}

static void test_reject__an_origin_is_its_host(void **state)
{
    (void)state;
    assert_origin("", "");
    assert_origin("https://shop.example", "shop.example");
    assert_origin("http://shop.example:8443", "shop.example");
    assert_origin("null", "null");
    assert_origin("https://ann:secret@shop.example", "(invalid)");
    assert_origin("https://ann@shop.example", "(invalid)");
    assert_origin("https://shop.example/path?q=1", "(invalid)");
    assert_origin("https://[::1]", "(invalid)");
    assert_origin("https://", "(invalid)");
    assert_origin("https://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    assert_origin("https://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "(invalid)");
}

static void test_reject__of_an_address_only_its_network_is_kept(void **state)
{
    uint8_t v4[16] = {[10] = 0xff, [11] = 0xff, 192, 0, 2, 77}, v6[16];
    static const uint8_t v4_kept[16] = {[10] = 0xff, [11] = 0xff, 192, 0, 2, 0};
    (void)state;
    reject_set_peer(&reject, v4);
    assert_memory_equal(reject.peer, v4_kept, 16);
    memset(v6, 0xab, sizeof v6);
    reject_set_peer(&reject, v6);
    for (unsigned i = 0; i < 16; i++)
        assert_int_equal(reject.peer[i], i < 6 ? 0xab : 0);
}

static void test_reject__first_bytes_tell_what_a_body_may_be(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
        enum reject_body body;
    } cases[] = {{"", 0, REJECT_BODY_NONE},
                 {"\x0a\x05shop", 6, REJECT_BODY_PROTOBUF},
                 {"VTRI\x02", 5, REJECT_BODY_RAW_INBOX},
                 {"VTR", 3, REJECT_BODY_TEXT},
                 {"\x1f\x8b\x08", 3, REJECT_BODY_GZIP},
                 {"\x1f", 1, REJECT_BODY_BINARY},
                 {"\x78\x9c", 2, REJECT_BODY_ZLIB},
                 {"\x28\xb5\x2f\xfd", 4, REJECT_BODY_ZSTD},
                 {"\x28\xb5\x2f", 3, REJECT_BODY_TEXT},
                 {"{\"a\":1}", 7, REJECT_BODY_JSON},
                 {"[1]", 3, REJECT_BODY_JSON},
                 {"<html>", 6, REJECT_BODY_MARKUP},
                 {"a=b&c=d", 7, REJECT_BODY_TEXT},
                 {"{\0}", 3, REJECT_BODY_BINARY},
                 {"\xff\xfe", 2, REJECT_BODY_BINARY}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        reject_set_body(&reject, slice_of(cases[i].bytes, cases[i].size), 3);
        if (reject.body != cases[i].body)
            fail_msg("case %zu: %s", i, reject_body_name(reject.body));
        assert_int_equal(reject.body_bytes, cases[i].size < 3 ? 3 : cases[i].size);
    }
    for (unsigned i = 0; i < REJECT_BODY_COUNT; i++)
        assert_true(strlen(reject_body_name((enum reject_body)i)) > 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reject__words_of_a_path_are_kept_and_what_may_be_somebody_is_not),
        cmocka_unit_test(test_reject__no_byte_gets_through_that_is_not_printable),
        cmocka_unit_test(test_reject__an_origin_is_its_host),
        cmocka_unit_test(test_reject__of_an_address_only_its_network_is_kept),
        cmocka_unit_test(test_reject__first_bytes_tell_what_a_body_may_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

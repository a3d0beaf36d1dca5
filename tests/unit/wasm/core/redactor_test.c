#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "wasm/core/redactor.h"

#include <stdio.h>

/* Also holds the glance to the whole search. */
static void redact(struct slice text, bool is_path, char *out)
{
    struct redactor found = redactor_of(text, is_path);
    size_t size = 0, copied = 0;
    bool is_plain = is_path && redactor_is_plain(text);
    while (redactor_next(&found)) {
        assert_false(is_plain);
        assert_true(found.begin >= copied && found.end > found.begin && found.end <= text.size);
        memcpy(out + size, text.data + copied, found.begin - copied);
        size += found.begin - copied;
        memcpy(out + size, found.label.data, found.label.size);
        size += found.label.size;
        copied = found.end;
    }
    memcpy(out + size, text.data + copied, text.size - copied);
    out[size + text.size - copied] = '\0';
}

static void expect(bool is_path, const char *text, const char *redacted)
{
    char out[8192];
    redact(slice_text(text), is_path, out);
    assert_string_equal(out, redacted);
}

static void expect_both(const char *text, const char *redacted)
{
    expect(true, text, redacted);
    expect(false, text, redacted);
}

static void test_redactor__addresses_go(void **state)
{
    (void)state;
    expect_both("bob@example.org", "[email]");
    expect_both("/u/Bob.S+x@mail.example.co.uk/x", "/u/[email]/x");
    expect_both("/u/bob%40example.org", "/u/[email]");
    expect_both("a%40b%40c.de", "a%40[email]");
    expect_both("a@b@c.de,d@e.fr", "a@[email],[email]");
    expect_both("j\xc3\xbcrgen@m\xc3\xbcller.de", "[email]");
    expect(false, "write to bob@example.org.", "write to [email].");
    expect(false, "user 123456789 bob1234567890@example.org", "user [number] [email]");
}

static void test_redactor__what_is_no_address_stays(void **state)
{
    (void)state;
    expect_both("/@scope/name", "/@scope/name");
    expect_both("react@18.2.0/umd", "react@18.2.0/umd");
    expect_both("a@b", "a@b");
    expect_both("a@.", "a@.");
    expect_both("@b.example", "@b.example");
    expect_both("%40b.example %4", "%40b.example %4");
}

static void test_redactor__an_address_that_was_cut_goes_too(void **state)
{
    (void)state;
    char text[1025], out[2048];
    memset(text, ' ', sizeof text);
    memcpy(text + 1024 - 7, "bob@exa", 7);
    redact(slice_of(text, 1024), false, out);
    assert_string_equal(out + 1024 - 7, "[email]");
    redact(slice_of(text + 1, 1023), false, out);
    assert_string_equal(out + 1023 - 7, "bob@exa");
}

static void test_redactor__web_tokens_go(void **state)
{
    (void)state;
    expect_both("eyJhbGci.eyJzdWIi.c2ln-_8", "[token]");
    expect_both("/v/eyJhbGci.eyJzdWIi./x", "/v/[token]/x");
    expect_both("eyJhbGci.a.b.c.d x", "[token] x");
    expect_both("eyJhbGci.a", "eyJhbGci.a");
    expect_both("eyJhbGci..b", "eyJhbGci..b");
    expect_both("EYJhbGci.a.b", "EYJhbGci.a.b");
}

static void test_redactor__values_of_secret_names_go(void **state)
{
    (void)state;
    expect_both("password=hunter2&x=1", "password=[redacted]&x=1");
    expect_both(";jsessionid=A1B2;y", ";jsessionid=[redacted];y");
    expect_both("X-API-Key=7", "X-API-Key=[redacted]");
    expect_both("api_key=7 apikey=8 token=", "api_key=[redacted] apikey=[redacted] token=");
    expect(false, "{\"accessToken\": \"a b\", \"n\": 1}", "{\"accessToken\": \"[redacted]\", \"n\": 1}");
    expect(false, "{\\\"secret\\\":\\\"x\\\"}", "{\\\"secret\\\":\\\"[redacted]\"}");
    expect(false, "Authorization: Bearer abc, b", "Authorization: [redacted], b");
    expect(false, "passwd: x", "passwd: [redacted]");
    expect(false, "Unexpected token < in JSON", "Unexpected token < in JSON");
    expect(false, "session bob@x.de", "session [email]");
    expect(false, "token=bob@x.de", "token=[redacted]");
    expect(false, "token='unclosed value", "token='[redacted]");
}

static void test_redactor__numbers_of_people_go_from_texts(void **state)
{
    (void)state;
    expect(false, "call 123456789", "call [number]");
    expect(false, "call 12345678", "call 12345678");
    expect(false, "call +49 151 2345 67", "call +[number]");
    expect(false, "call 49 151 2345 67", "call 49 151 2345 67");
    expect(false, "id a1234567890b", "id a[number]b");
    expect(true, "/p/1234567890123456789", "/p/1234567890123456789");
}

static void test_redactor__card_numbers_go_from_paths_too(void **state)
{
    (void)state;
    expect_both("/c/4111111111111111/x", "/c/[number]/x");
    expect_both("/c/4111-1111-1111-1111", "/c/[number]");
    expect_both("/c/4222222222222", "/c/[number]"); /* 13 digits */
    expect_both("/c/6304000000000000000", "/c/[number]"); /* 19 */
    expect(false, "card 4111 1111 1111 1111 25 x", "card [number] 25 x");
    expect(true, "/c/4111111111111112", "/c/4111111111111112");
    expect(true, "/c/1111111111111117", "/c/1111111111111117"); /* no network begins with 1 */
    expect(true, "/c/41111111111111110000", "/c/41111111111111110000");
    expect(true, "/c/2111111111111113", "/c/2111111111111113");
}

static void test_redactor__long_secrets_go_from_paths(void **state)
{
    (void)state;
    expect(true, "/r/0af7651916cd43dd8448eb211c80319c/x", "/r/[redacted]/x");
    expect(true, "/r/0AF7651916CD43DD8448EB211C80319", "/r/0AF7651916CD43DD8448EB211C80319");
    expect(true, "/logo-0af7651916cd43dd8448eb211c80319c.png", "/logo-[redacted].png");
    expect(true, "/app.0af7651916cd43dd8448eb211c80319c.min.js", "/app.0af7651916cd43dd8448eb211c80319c.min.js");
    expect(true, "/app.0af7651916cd43dd8448eb211c80319c.jsp", "/app.[redacted].jsp");
    expect(true, "/0af7651916cd43dd8448eb211c80319c/a.js", "/[redacted]/a.js");
    expect(true, "/r/Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4MTIz", "/r/[redacted]");
    expect(true, "/r/550e8400-e29b-41d4-a716-446655440000", "/r/550e8400-e29b-41d4-a716-446655440000");
    expect(true, "/the-10-best-things-to-do-in-a-summer-of-rain", "/the-10-best-things-to-do-in-a-summer-of-rain");
    expect(false, "trace 0af7651916cd43dd8448eb21aa80319c", "trace 0af7651916cd43dd8448eb21aa80319c");
}

static void test_redactor__every_prefix_and_flip_ends_and_stays_in_bounds(void **state)
{
    (void)state;
    static const char text[] = "eyJa.b.c token=\"x\" +49 4111-1111-1111-1111 a@b.cd%40e.fg 0af7651916cd43dd8448eb211c80319c";
    char out[8192], flipped[sizeof text];
    for (size_t size = 0; size < sizeof text; size++)
        for (int is_path = 0; is_path < 2; is_path++)
            redact(slice_of(text, size), is_path != 0, out);
    for (size_t bit = 0; bit < (sizeof text - 1) * 8; bit++) {
        memcpy(flipped, text, sizeof text);
        flipped[bit / 8] = (char)(flipped[bit / 8] ^ (1 << bit % 8));
        redact(slice_of(flipped, sizeof text - 1), bit % 2 != 0, out);
    }
}

static void test_redactor__a_glance_lets_everyday_paths_pass(void **state)
{
    (void)state;
    static const char *const plain[] = {"", "/", "/assets/app.4f2a9c.js", "/p/1234567890", "/2026-11-23/news/index.html"};
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++)
        assert_true(redactor_is_plain(slice_text(plain[i])));
    assert_false(redactor_is_plain(slice_text("/p/1234567890123")));
    assert_false(redactor_is_plain(slice_text("/a@b")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_redactor__addresses_go),
        cmocka_unit_test(test_redactor__what_is_no_address_stays),
        cmocka_unit_test(test_redactor__an_address_that_was_cut_goes_too),
        cmocka_unit_test(test_redactor__web_tokens_go),
        cmocka_unit_test(test_redactor__values_of_secret_names_go),
        cmocka_unit_test(test_redactor__numbers_of_people_go_from_texts),
        cmocka_unit_test(test_redactor__card_numbers_go_from_paths_too),
        cmocka_unit_test(test_redactor__long_secrets_go_from_paths),
        cmocka_unit_test(test_redactor__a_glance_lets_everyday_paths_pass),
        cmocka_unit_test(test_redactor__every_prefix_and_flip_ends_and_stays_in_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

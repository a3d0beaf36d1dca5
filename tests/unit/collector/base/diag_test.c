/* Messages as a log collector reads them from a pipe: whole lines, each of them JSON, whatever stands in them. */
#include "collector/base/diag.h"
#include "collector/base/json_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static int kept_stderr = -1, file = -1;
static char said[4 << 20];

/* From here on what goes to standard error is caught, until it is read. */
static void listen_up(void)
{
    FILE *temporary = tmpfile();
    file = dup(fileno(temporary));
    fclose(temporary);
    fcntl(file, F_SETFL, O_APPEND);
    kept_stderr = dup(STDERR_FILENO);
    dup2(file, STDERR_FILENO);
}

static size_t read_said(void)
{
    ssize_t size = pread(file, said, sizeof said - 1, 0);
    dup2(kept_stderr, STDERR_FILENO);
    close(kept_stderr);
    close(file);
    said[size] = '\0';
    return (size_t)size;
}

/* The one line that was said: JSON of valid UTF-8 by another reader than ours. The caller decrefs. */
static json_t *read_line(void)
{
    json_error_t error;
    size_t size = read_said();
    assert_true(size > 0 && size <= PIPE_BUF);
    assert_ptr_equal(memchr(said, '\n', size), said + size - 1);
    for (size_t i = 0; i + 1 < size; i++)
        assert_true((unsigned char)said[i] >= ' ' && said[i] != 0x7f);
    json_t *line = json_loadb(said, size, JSON_REJECT_DUPLICATES, &error);
    if (line == NULL)
        fail_msg("%s: %s", error.text, said);
    assert_int_equal(json_object_size(line), 4);
    assert_int_equal(json_string_length(json_object_get(line, "time")), strlen("2026-11-23T06:00:00.000Z"));
    return line;
}

static void assert_message(const char *expected)
{
    json_t *line = read_line();
    assert_string_equal(json_string_value(json_object_get(line, "message")), expected);
    json_decref(line);
}

static void test_diag__is_a_line_of_four_members(void **state)
{
    (void)state;
    listen_up();
    diag(DIAG_WARNING, "some_event", "%s and %d", "text", 7);
    json_t *line = read_line();
    assert_string_equal(json_string_value(json_object_get(line, "level")), "warning");
    assert_string_equal(json_string_value(json_object_get(line, "event")), "some_event");
    assert_string_equal(json_string_value(json_object_get(line, "message")), "text and 7");
    json_decref(line);
}

static void test_diag__every_byte_in_every_neighbourhood_is_one_line_of_json(void **state)
{
    static const char *const around[] = {"%s", "a%sb", "\"%s\"", "\\%s", "\xe2\x80%s", "%s\xa8", "\xf0\x9f%s\x82", "\xc2%s", "\xed%s\x80"};
    (void)state;
    for (unsigned byte = 1; byte < 256; byte++)
        for (size_t i = 0; i < sizeof around / sizeof around[0]; i++) {
            const char text[] = {(char)byte, '\0'};
            char message[16];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
            snprintf(message, sizeof message, around[i], text);
#pragma GCC diagnostic pop
            listen_up();
            diag(DIAG_ERROR, "event", "%s", message);
            json_decref(read_line());
        }
}

/* The bytes that have broken a log somewhere before. */
static void test_diag__shows_what_it_can_and_replaces_what_is_none(void **state)
{
    static const char *const cases[][2] = {
        {"tab\tline\nreturn\r", "tab\tline\nreturn\r"},
        {"\x1b[2J\x1b]0;title\x07", "\x1b[2J\x1b]0;title\x07"},
        {"\"},{\"level\":\"info\",\"event\":\"forged\"", "\"},{\"level\":\"info\",\"event\":\"forged\""},
        {"\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd"},                         /* overlong */
        {"\xe0\x80\xaf", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},         /* overlong */
        {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},         /* a surrogate */
        {"\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"}, /* beyond U+10FFFF */
        {"\xe2\x80\xa8\xe2\x80\xa9\xc2\x85", "\xe2\x80\xa8\xe2\x80\xa9\xc2\x85"},
        {"\xe2\x80\xaegnp.exe", "\xe2\x80\xaegnp.exe"},
        {"cut \xf0\x9f\x99", "cut \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {"%s%n%x", "%s%n%x"},
        {"", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        listen_up();
        diag(DIAG_ERROR, "event", "%s", cases[i][0]);
        assert_message(cases[i][1]);
    }
}

static void test_diag__a_message_of_any_length_is_one_line_that_a_pipe_takes_at_once(void **state)
{
    static char text[10000];
    static const char fill[] = {'a', '\x01', '\xff', '"', '\n'};
    (void)state;
    for (size_t f = 0; f < sizeof fill; f++)
        for (size_t size = 600; size < sizeof text; size = size * 9 / 8) {
            memset(text, fill[f], size);
            text[size] = '\0';
            listen_up();
            diag(DIAG_ERROR, "event", "%s", text);
            json_t *line = read_line();
            size_t kept = json_string_length(json_object_get(line, "message"));
            assert_true(kept >= (size < 1000 ? size / 2 : 300));
            json_decref(line);
        }
}

static void test_diag__what_is_above_the_level_is_not_said_and_errno_is_left_alone(void **state)
{
    (void)state;
    listen_up();
    diag(DIAG_DEBUG, "event", "quiet");
    assert_int_equal(read_said(), 0);
    listen_up();
    errno = ENOSPC;
    diag(DIAG_ERROR, "event", "%s", "loud");
    int after = errno;
    assert_int_equal(after, ENOSPC);
    assert_message("loud");
}

static void *speak(void *context)
{
    char text[1500];
    memset(text, *(const char *)context, sizeof text - 1);
    text[sizeof text - 1] = '\0';
    for (unsigned i = 0; i < 100; i++)
        diag(DIAG_ERROR, "event", "%s", text);
    return NULL;
}

/* O_APPEND stands for a pipe here: a write of one line is not torn by another's. */
static void test_diag__lines_of_several_threads_do_not_mix(void **state)
{
    static const char letters[] = "abcd";
    pthread_t thread[4];
    unsigned lines = 0;
    (void)state;
    listen_up();
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, speak, (void *)(uintptr_t)&letters[i]), 0);
    for (unsigned i = 0; i < 4; i++)
        pthread_join(thread[i], NULL);
    read_said();
    for (char *at = said, *line_end; (line_end = strchr(at, '\n')) != NULL; at = line_end + 1, lines++) {
        json_t *line = json_loadb(at, (size_t)(line_end - at), 0, NULL);
        assert_non_null(line);
        const char *message = json_string_value(json_object_get(line, "message"));
        assert_int_equal(strlen(message), strspn(message, (char[]){message[0], '\0'}));
        json_decref(line);
    }
    assert_int_equal(lines, 400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_diag__is_a_line_of_four_members),
        cmocka_unit_test(test_diag__every_byte_in_every_neighbourhood_is_one_line_of_json),
        cmocka_unit_test(test_diag__shows_what_it_can_and_replaces_what_is_none),
        cmocka_unit_test(test_diag__a_message_of_any_length_is_one_line_that_a_pipe_takes_at_once),
        cmocka_unit_test(test_diag__what_is_above_the_level_is_not_said_and_errno_is_left_alone),
        cmocka_unit_test(test_diag__lines_of_several_threads_do_not_mix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

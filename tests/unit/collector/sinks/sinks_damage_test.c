/*
 * Bit rot in the index, which is derived: with any byte of its file changed the sinks start, take what comes, and catch up,
 * by building it anew when SQLite finds the damage. SQLite keeps checksums of its write-ahead log only: a changed value in
 * a page may be shown, and the test counts how often. The log has the truth, and deleting the index brings it back.
 *
 * VITRACE_INDEX_FLIPS sets how many bytes are changed, one at a time (80).
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "collector/store/store.h"
#include "tests/support/beacon_builder.h"
#include "tests/support/index_fixture.h"

#define VIEWS         20u
#define FLIPS_DEFAULT 80u

struct damage {
    struct index_fixture fixture;
    uint8_t *file;
    size_t size;
    char *before;
    unsigned equal, different, refused;
};

static void append_view(struct index_fixture *fixture, uint8_t view)
{
    static struct beacon_builder beacon;
    vitrace_v1_Claim claim = beacon_builder_claim(vitrace_v1_ClaimSource_CLAIM_SOURCE_SERVER_TIMING_TRACE, view, 0x11);
    vitrace_v1_Header header = beacon_builder_header(view, 0);
    beacon_builder_init(&beacon, &header);
    beacon_builder_navigation(&beacon, "http://127.0.0.1:8080/p/3", &claim);
    beacon_builder_vital(&beacon, vitrace_v1_Metric_METRIC_LCP, 900 + view, vitrace_v1_Rating_RATING_GOOD);
    beacon_builder_ledger(&beacon, 2, 1);
    index_fixture_append(fixture, APPEND_BEACON, beacon_builder_bytes(&beacon));
}

static void read_index(struct damage *self)
{
    int file = open(self->fixture.index_path, O_RDONLY | O_CLOEXEC);
    off_t size = lseek(file, 0, SEEK_END);
    self->size = (size_t)size;
    self->file = malloc(self->size);
    assert_non_null(self->file);
    assert_int_equal(pread(file, self->file, self->size, 0), size);
    close(file);
}

static void write_index(struct damage *self)
{
    assert_true(store_delete(self->fixture.index_path));
    int file = open(self->fixture.index_path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(write(file, self->file, self->size), (ssize_t)self->size);
    close(file);
}

static char *ask(struct index_fixture *fixture, const char *path, const char *query)
{
    struct buf out;
    buf_init(&out, API_ANSWER_BYTES_MAX);
    int status = api_answer(fixture->api, slice_text(path), slice_text(query), &out);
    char *text = status == 200 ? strndup((const char *)out.data, out.size) : NULL;
    buf_release(&out);
    return text;
}

/* The answers for all views, one after the other; what comes after the damage is not asked for. NULL = one is refused. */
static char *ask_views(struct index_fixture *fixture)
{
    char path[48], *all = strdup("");
    for (unsigned view = 1; all != NULL && view <= VIEWS; view++) {
        snprintf(path, sizeof path, "views/");
        for (unsigned i = 0; i < 16; i++)
            snprintf(path + 6 + 2 * i, sizeof path - 6 - 2 * i, "%02x", view);
        char *one = ask(fixture, path, ""), *more = NULL;
        if (one != NULL && asprintf(&more, "%s%s", all, one) < 0)
            more = NULL;
        free(one);
        free(all);
        all = more;
    }
    return all;
}

static void compare(struct damage *self)
{
    char *after = ask_views(&self->fixture);
    if (after == NULL)
        self->refused++;
    else if (strcmp(after, self->before) == 0)
        self->equal++;
    else
        self->different++;
    free(after);
}

static void flip(struct damage *self, size_t at, uint8_t mask)
{
    self->file[at] ^= mask;
    write_index(self);
    index_fixture_start(&self->fixture); /* fails the test when it does not catch up */
    compare(self);
    append_view(&self->fixture, 0x50);
    index_fixture_catch_up(&self->fixture);
    index_fixture_stop(&self->fixture);
    self->file[at] ^= mask;
}

static void test_damage__a_changed_byte_of_the_index_stops_nothing(void **state)
{
    const char *many = getenv("VITRACE_INDEX_FLIPS");
    size_t flips = many != NULL ? strtoull(many, NULL, 10) : FLIPS_DEFAULT;
    struct damage self = {0};
    (void)state;
    index_fixture_init(&self.fixture);
    for (unsigned view = 1; view <= VIEWS; view++)
        append_view(&self.fixture, (uint8_t)view);
    index_fixture_start(&self.fixture);
    self.before = ask_views(&self.fixture);
    assert_non_null(self.before);
    index_fixture_stop(&self.fixture); /* the last connection moves the write-ahead log into the file */
    read_index(&self);
    for (size_t i = 0; i < flips; i++)
        flip(&self, i < 100 && flips >= 200 ? i : i * self.size / flips + i % 7, (uint8_t)(i % 3 == 0 ? 0xff : 1u << i % 8));
    print_message("%zu bytes, %zu changed: %u answers equal, %u other, %u refused\n", self.size, flips, self.equal,
                  self.different, self.refused);
    assert_true(self.equal > 0);
    free(self.before);
    free(self.file);
    index_fixture_release(&self.fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_damage__a_changed_byte_of_the_index_stops_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "tests/support/faulty_os.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "collector/log/log_internal.h"
#include "proto/wire/crc32c.h"

#include <errno.h>
#include <fcntl.h>

static int sync_folder_handle(struct faulty_os *disk)
{
    return disk->os.open(disk, 0, "log", O_DIRECTORY, 0);
}

static void test_segment__names_are_sixteen_hex_digits_and_nothing_else(void **state)
{
    (void)state;
    const uint64_t firsts[] = {0, 1, 0xabcdef, 1ull << 63, UINT64_MAX};
    char name[LOG_NAME_BYTES];
    uint64_t back;
    for (size_t i = 0; i < sizeof firsts / sizeof firsts[0]; i++) {
        log_segment_name(firsts[i], name);
        assert_true(log_segment_parse_name(name, &back));
        assert_true(back == firsts[i]);
        assert_false(log_segment_is_unfinished(name));
        strcat(name, ".new");
        assert_true(log_segment_is_unfinished(name));
        assert_false(log_segment_parse_name(name, &back));
    }
    log_segment_name(0xabcdef, name);
    assert_string_equal(name, "0000000000abcdef.vtlog");
    const char *others[] = {"",
                            ".",
                            "0000000000abcdef",
                            "0000000000ABCDEF.vtlog",
                            "0000000000abcdef.vtlog ",
                            " 000000000abcdef.vtlog",
                            "-000000000abcdef.vtlog",
                            "0x00000000abcdef.vtlog",
                            "0000000000abcdef.VTLOG",
                            "0000000000abcdef.vtlog.new.new",
                            "../0000000000abc.vtlog"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        assert_false(log_segment_parse_name(others[i], &back));
        assert_false(log_segment_is_unfinished(others[i]));
    }
}

static void test_segment__header_bytes_are_as_the_format_says(void **state)
{
    (void)state;
    struct faulty_os *disk = faulty_os_new();
    struct log_segment segment;
    int folder = sync_folder_handle(disk);
    assert_int_equal(log_segment_create(&segment, &disk->os, folder, 0x1122334455667788u, 8192), 0);
    struct faulty_file *file = faulty_os_find(disk, "1122334455667788.vtlog");
    assert_non_null(file);
    assert_int_equal(file->size, 8192);
    static const uint8_t golden[24] = {0x89, 'V',  'T', 'L', 'O',  'G',  0x0d, 0x0a, 1,    0,    0,    0,
                                       0,    0x10, 0,   0,   0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11};
    assert_memory_equal(file->data, golden, sizeof golden);
    uint32_t sum = crc32c(0, slice_of(file->data, 60));
    uint8_t bytes[4] = {(uint8_t)sum, (uint8_t)(sum >> 8), (uint8_t)(sum >> 16), (uint8_t)(sum >> 24)};
    assert_memory_equal(file->data + 60, bytes, 4);
    assert_memory_equal(file->data + 2048, file->data, 64);
    for (size_t i = 0; i < 8192; i++)
        assert_true(i < 64 || (i >= 2048 && i < 2112) || file->data[i] == 0);
    faulty_os_free(disk);
}

static enum log_header_status read_header(struct faulty_os *disk, uint64_t first, uint32_t *salt)
{
    struct log_header header;
    char name[LOG_NAME_BYTES];
    log_segment_name(0, name);
    int file = disk->os.open(disk, 0, name, 0, 0);
    enum log_header_status status = log_segment_read_header(&disk->os, file, first, &header);
    disk->os.close(disk, file);
    *salt = header.salt;
    return status;
}

static void test_segment__one_damaged_header_copy_is_healed_by_the_other(void **state)
{
    (void)state;
    struct faulty_os *disk = faulty_os_new();
    struct log_segment segment;
    uint32_t salt;
    assert_int_equal(log_segment_create(&segment, &disk->os, sync_folder_handle(disk), 0, 8192), 0);
    uint8_t *data = faulty_os_find(disk, faulty_os_name(disk, 0))->data;
    for (size_t bit = 0; bit < 64 * 8; bit++) {
        uint8_t mask = (uint8_t)(1u << bit % 8);
        data[bit / 8] ^= mask;
        assert_int_equal(read_header(disk, 0, &salt), LOG_HEADER_GOOD);
        assert_int_equal(salt, segment.salt);
        data[2048 + bit / 8] ^= mask;
        assert_int_equal(read_header(disk, 0, &salt), LOG_HEADER_BAD);
        data[bit / 8] ^= mask;
        assert_int_equal(read_header(disk, 0, &salt), LOG_HEADER_GOOD);
        data[2048 + bit / 8] ^= mask;
    }
    assert_int_equal(read_header(disk, 8, &salt), LOG_HEADER_BAD); /* renamed by hand */
    faulty_os_free(disk);
}

static void test_segment__every_strict_prefix_of_a_file_has_no_header_or_a_sound_one(void **state)
{
    (void)state;
    struct faulty_os *disk = faulty_os_new();
    struct log_segment segment;
    uint32_t salt;
    uint8_t whole[LOG_HEADER_BYTES];
    assert_int_equal(log_segment_create(&segment, &disk->os, sync_folder_handle(disk), 0, LOG_HEADER_BYTES), 0);
    memcpy(whole, faulty_os_find(disk, faulty_os_name(disk, 0))->data, sizeof whole);
    for (size_t size = 0; size < sizeof whole; size++) {
        faulty_os_put(disk, faulty_os_name(disk, 0), whole, size);
        assert_int_equal(read_header(disk, 0, &salt), size < 64 ? LOG_HEADER_BAD : LOG_HEADER_GOOD);
    }
    faulty_os_free(disk);
}

/* Whatever call fails: errno is told, and neither a name nor a descriptor is left behind. */
static void test_segment__a_creation_that_fails_leaves_nothing(void **state)
{
    (void)state;
    for (int fault = FAULTY_ERROR; fault <= FAULTY_AFTER; fault += 2) {
        uint64_t call = 0;
        for (;; call++) {
            struct faulty_os *disk = faulty_os_new();
            struct log_segment segment;
            int folder = sync_folder_handle(disk);
            faulty_os_fail(disk, call, 1, (enum faulty_fault)fault, ENOSPC);
            int failure = log_segment_create(&segment, &disk->os, folder, 0, 8192);
            bool reached = faulty_os_has_failed(disk);
            assert_int_equal(failure, reached ? ENOSPC : 0);
            assert_int_equal(segment.file >= 0, !reached);
            for (size_t i = 1; reached && i < FAULTY_HANDLES_MAX; i++)
                assert_int_equal(disk->handles[i].kind, FAULTY_CLOSED);
            /* A rename that says it failed and did not is for the next creation to replace. */
            bool renamed_anyway = fault == FAULTY_AFTER && call == 5;
            if (reached && !renamed_anyway)
                assert_null(faulty_os_name(disk, 0));
            faulty_os_free(disk);
            if (!reached)
                break;
        }
        assert_int_equal(call, 7); /* open, random, fallocate, pwritev, fsync, rename, fsync of the folder */
    }
}

/* At no moment of a creation may a power loss leave the name without the header. */
static void test_segment__a_name_on_disk_has_its_header_on_disk(void **state)
{
    (void)state;
    struct faulty_os *disk = faulty_os_new();
    struct log_segment segment;
    uint32_t salt;
    assert_int_equal(log_segment_create(&segment, &disk->os, sync_folder_handle(disk), 0, 8192), 0);
    size_t op_count = faulty_os_op_count(disk), named = 0;
    for (size_t op = 0; op <= op_count; op++) {
        for (uint64_t seed = 0; seed < 64; seed++) {
            struct faulty_choice choice = {.mode = FAULTY_KEEP_RANDOM, .seed = seed};
            struct faulty_os *later = faulty_os_crash(disk, op, &choice);
            if (faulty_os_find(later, "0000000000000000.vtlog") != NULL) {
                assert_int_equal(read_header(later, 0, &salt), LOG_HEADER_GOOD);
                named++;
            }
            faulty_os_free(later);
        }
    }
    assert_true(named >= 64);
    faulty_os_free(disk);
}

static int no_fallocate(void *context, int file, off_t offset, off_t size)
{
    (void)context, (void)file, (void)offset, (void)size;
    errno = EOPNOTSUPP;
    return -1;
}

static void test_segment__a_file_system_without_fallocate_is_served(void **state)
{
    (void)state;
    struct faulty_os *disk = faulty_os_new();
    struct log_segment segment;
    disk->os.fallocate = no_fallocate;
    assert_int_equal(log_segment_create(&segment, &disk->os, sync_folder_handle(disk), 0, 8192), 0);
    assert_int_equal(faulty_os_find(disk, faulty_os_name(disk, 0))->size, 8192);
    faulty_os_free(disk);
}

struct ahead {
    struct iovec parts[LOG_AHEAD_PARTS_MAX];
    unsigned count;
    uint64_t bytes;
};

static struct ahead ahead_of(struct log_segment *segment, uint64_t offset, uint64_t bytes)
{
    struct ahead ahead = {.bytes = 0};
    ahead.count = log_segment_add_ahead(segment, ahead.parts, offset, bytes);
    for (unsigned i = 0; i < ahead.count; i++) {
        ahead.bytes += ahead.parts[i].iov_len;
        for (size_t k = 0; k < ahead.parts[i].iov_len; k++)
            assert_int_equal(((const uint8_t *)ahead.parts[i].iov_base)[k], 0);
    }
    return ahead;
}

static void test_segment__a_commit_to_reserved_blocks_writes_zeros_for_those_that_follow(void **state)
{
    (void)state;
    struct log_segment segment = {.bytes = LOG_SEGMENT_BYTES_DEFAULT};
    uint64_t offset = LOG_HEADER_BYTES, end = offset + 1000 + ahead_of(&segment, offset, 1000).bytes;
    assert_int_equal(segment.written, end);
    assert_true(end > LOG_AHEAD_BYTES && end % LOG_HEADER_BYTES == 0); /* whole blocks */
    for (offset += 1000; offset + 1000 <= end; offset += 1000)
        assert_int_equal(ahead_of(&segment, offset, 1000).count, 0);
    assert_true(ahead_of(&segment, offset, 1000).bytes > LOG_AHEAD_BYTES - LOG_HEADER_BYTES);
}

static void test_segment__zeros_end_with_the_file_and_a_large_commit_brings_none(void **state)
{
    (void)state;
    struct log_segment segment = {.bytes = 100000};
    assert_int_equal(ahead_of(&segment, LOG_HEADER_BYTES, LOG_AHEAD_BATCH_MAX + 1).count, 0);
    assert_int_equal(segment.written, LOG_HEADER_BYTES + LOG_AHEAD_BATCH_MAX + 1);
    assert_int_equal(ahead_of(&segment, segment.written, 8).bytes, 100000 - LOG_HEADER_BYTES - LOG_AHEAD_BATCH_MAX - 9);
    assert_int_equal(ahead_of(&segment, 100000 - 8, 8).count, 0);
}

static void test_segment__the_zeros_of_the_largest_batch_fit_one_call(void **state)
{
    (void)state;
    for (uint64_t bytes = 8; bytes < 2 * LOG_HEADER_BYTES; bytes += 8) {
        struct log_segment segment = {.bytes = LOG_SEGMENT_BYTES_DEFAULT};
        assert_true(ahead_of(&segment, LOG_HEADER_BYTES, bytes).count <= LOG_AHEAD_PARTS_MAX);
    }
    assert_true(LOG_BATCH_PARTS_MAX <= 1024); /* IOV_MAX of Linux */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_segment__names_are_sixteen_hex_digits_and_nothing_else),
        cmocka_unit_test(test_segment__header_bytes_are_as_the_format_says),
        cmocka_unit_test(test_segment__one_damaged_header_copy_is_healed_by_the_other),
        cmocka_unit_test(test_segment__every_strict_prefix_of_a_file_has_no_header_or_a_sound_one),
        cmocka_unit_test(test_segment__a_creation_that_fails_leaves_nothing),
        cmocka_unit_test(test_segment__a_name_on_disk_has_its_header_on_disk),
        cmocka_unit_test(test_segment__a_file_system_without_fallocate_is_served),
        cmocka_unit_test(test_segment__a_commit_to_reserved_blocks_writes_zeros_for_those_that_follow),
        cmocka_unit_test(test_segment__zeros_end_with_the_file_and_a_large_commit_brings_none),
        cmocka_unit_test(test_segment__the_zeros_of_the_largest_batch_fit_one_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

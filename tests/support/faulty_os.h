/*
 * A struct os that keeps one folder in memory, fails calls on request and can say what a disk may hold after a crash.
 *
 * Every change goes to the live image at once (the page cache) and into a journal. faulty_os_crash() builds the image
 * that a power loss after the first n journal entries may leave: what a successful sync covered is there, of the rest
 * any part may be, in sectors of 512 bytes. As on Linux, a failed sync marks pages clean: a later sync does not cover
 * them. Names (create, rename, unlink) are covered by a sync of the folder only.
 *
 * Thread-safe. Its files are the ones of a single folder; every folder opened is that folder, except "..".
 */
#ifndef VITRACE_TESTS_FAULTY_OS_H
#define VITRACE_TESTS_FAULTY_OS_H

#include "collector/os/os.h"

#include <pthread.h>
#include <stdbool.h>

#define FAULTY_FILES_MAX   512
#define FAULTY_HANDLES_MAX 128
#define FAULTY_NAME_MAX    48
#define FAULTY_SECTOR      512u

struct faulty_file {
    uint8_t *data;
    size_t size, room;
};

struct faulty_name {
    char text[FAULTY_NAME_MAX]; /* empty = free */
    size_t file;
};

struct faulty_image {
    struct faulty_file files[FAULTY_FILES_MAX];
    size_t file_count;
    struct faulty_name names[FAULTY_FILES_MAX];
    size_t name_count; /* slots that were ever used */
};

enum faulty_fault {
    FAULTY_ERROR, /* nothing happens */
    FAULTY_SHORT, /* pread and pwritev do half; others as FAULTY_ERROR */
    FAULTY_AFTER  /* it happens, and fails */
};

struct faulty_op; /* a journal entry */

struct faulty_handle {
    enum { FAULTY_CLOSED, FAULTY_FILE, FAULTY_FOLDER, FAULTY_PARENT } kind;
    size_t file;
    bool locks;
};

struct faulty_os {
    struct os os; /* hand this out */
    pthread_mutex_t lock;
    pthread_cond_t released;
    bool held;
    struct faulty_image live, base;
    struct faulty_handle handles[FAULTY_HANDLES_MAX];
    struct faulty_op *ops;
    size_t op_count, op_room;
    bool locked;
    uint64_t calls;              /* all calls that can fail, so far */
    uint64_t fail_from, fail_to; /* calls numbered fail_from..fail_to-1 fail */
    enum faulty_fault fault;
    int fail_errno;
    int64_t disk_bytes; /* room for all files together */
    uint64_t now_us, random;
};

struct faulty_os *faulty_os_new(void);
void faulty_os_free(struct faulty_os *self);

/* The next call to come is number 0. */
void faulty_os_fail(struct faulty_os *self, uint64_t from, uint64_t count, enum faulty_fault fault, int error);
/* True when a call of the armed range has come. */
bool faulty_os_has_failed(struct faulty_os *self);
void faulty_os_set_disk(struct faulty_os *self, int64_t bytes);
/* Writers and syncs wait until released: appends queue up meanwhile. */
void faulty_os_hold(struct faulty_os *self);
void faulty_os_release(struct faulty_os *self);
/* Puts `value` into the journal, e.g. that an answer was given. */
void faulty_os_mark(struct faulty_os *self, uint64_t value);
/* Closes what a killed process had open; the page cache stays. */
void faulty_os_kill(struct faulty_os *self);

size_t faulty_os_op_count(const struct faulty_os *self);
bool faulty_os_op_mark(const struct faulty_os *self, size_t op, uint64_t *value);
/* Entries before `op_count` that no sync before `op_count` covers. */
size_t faulty_os_pending(const struct faulty_os *self, size_t op_count);
/* Sectors of so many bytes that the pending entry number `pending` writes; 0 = it is not a write. */
size_t faulty_os_pending_sectors(const struct faulty_os *self, size_t op_count, size_t pending, size_t sector_bytes);
/* The name that this entry makes or removes for good; NULL = it does neither. */
const char *faulty_os_op_name(const struct faulty_os *self, size_t op, bool *removed);

struct faulty_choice {
    enum {
        FAULTY_KEEP_PREFIX, /* the first `kept` pending entries, then `sectors` of the next one's first sectors */
        FAULTY_KEEP_SUFFIX, /* the same, but `sectors` of the next one's last sectors, and all entries after it */
        FAULTY_KEEP_SET,    /* pending entry i when bit i % 64 of `seed` is set */
        FAULTY_KEEP_RANDOM  /* any subset of entries and sectors, by seed */
    } mode;
    size_t kept, sectors;
    uint64_t seed;
    size_t sector_bytes; /* 0 = FAULTY_SECTOR */
    bool stale;          /* FAULTY_KEEP_RANDOM: sectors not written show what another file had there, or noise */
};

/* A new os, as after a restart of the machine. */
struct faulty_os *faulty_os_crash(const struct faulty_os *self, size_t op_count, const struct faulty_choice *choice);

/* A new os on which a process was killed after the first `op_count` entries: the page cache stays, and so does what of
 * it is not on disk yet, for a power loss later. Entries keep their numbers. */
struct faulty_os *faulty_os_kill_at(const struct faulty_os *self, size_t op_count);

/* Direct access to the live image, for damage and comparison. NULL when there is no such file. */
struct faulty_file *faulty_os_find(struct faulty_os *self, const char *name);
void faulty_os_put(struct faulty_os *self, const char *name, const void *data, size_t size);
void faulty_os_remove(struct faulty_os *self, const char *name);
/* The n-th name in order of text; NULL past the last. */
const char *faulty_os_name(struct faulty_os *self, size_t n);
bool faulty_os_same(struct faulty_os *a, struct faulty_os *b);
/* Of all names and bytes: equal for equal images. */
uint64_t faulty_os_hash(const struct faulty_os *self);
/* Flips bits of a byte that is on disk, and stays so after every crash. */
void faulty_os_damage(struct faulty_os *self, const char *name, uint64_t offset, uint8_t mask);

#endif

#include "tests/support/faulty_os.h"
#include "tests/support/faulty_disk.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#define HANDLE_BASE 1000

/* True: this call is to fail with errno set. Called with the lock held, once per call. */
static bool call_fails(struct faulty_os *self)
{
    uint64_t number = self->calls++;
    if (number < self->fail_from || number >= self->fail_to)
        return false;
    errno = self->fail_errno;
    return true;
}

static struct faulty_handle *handle_of(struct faulty_os *self, int file)
{
    assert(file >= HANDLE_BASE && file < HANDLE_BASE + FAULTY_HANDLES_MAX);
    struct faulty_handle *handle = &self->handles[file - HANDLE_BASE];
    assert(handle->kind != FAULTY_CLOSED);
    return handle;
}

static struct faulty_file *file_of(struct faulty_os *self, int file)
{
    struct faulty_handle *handle = handle_of(self, file);
    assert(handle->kind == FAULTY_FILE);
    return &self->live.files[handle->file];
}

static int handle_new(struct faulty_os *self, int kind, size_t file)
{
    for (int i = 0; i < FAULTY_HANDLES_MAX; i++) {
        if (self->handles[i].kind == FAULTY_CLOSED) {
            self->handles[i] = (struct faulty_handle){.kind = kind, .file = file};
            return HANDLE_BASE + i;
        }
    }
    errno = EMFILE;
    return -1;
}

static int open_file(struct faulty_os *self, const char *name, int flags)
{
    struct faulty_name *slot = faulty_image_find(&self->live, name);
    if (slot == NULL && !(flags & O_CREAT)) {
        errno = ENOENT;
        return -1;
    }
    if (slot == NULL) {
        assert(self->live.file_count < FAULTY_FILES_MAX);
        size_t file = self->live.file_count;
        faulty_image_link(&self->live, name, file);
        faulty_journal_add_name(self, OP_LINK, name, "", file);
        return handle_new(self, FAULTY_FILE, file);
    }
    if (flags & O_TRUNC) {
        faulty_file_set_size(&self->live.files[slot->file], 0);
        faulty_journal_add(self, OP_SIZE, slot->file)->offset = 0;
    }
    return handle_new(self, FAULTY_FILE, slot->file);
}

static int faulty_open(void *context, int folder, const char *name, int flags, mode_t mode)
{
    struct faulty_os *self = context;
    (void)folder;
    (void)mode;
    pthread_mutex_lock(&self->lock);
    int result = -1;
    if (!call_fails(self)) {
        if (strcmp(name, "..") == 0)
            result = handle_new(self, FAULTY_PARENT, 0);
        else
            result = flags & O_DIRECTORY ? handle_new(self, FAULTY_FOLDER, 0) : open_file(self, name, flags);
    }
    pthread_mutex_unlock(&self->lock);
    return result;
}

static int faulty_close(void *context, int file)
{
    struct faulty_os *self = context;
    pthread_mutex_lock(&self->lock);
    struct faulty_handle *handle = handle_of(self, file);
    if (handle->locks)
        self->locked = false;
    *handle = (struct faulty_handle){.kind = FAULTY_CLOSED};
    int result = call_fails(self) ? -1 : 0;
    pthread_mutex_unlock(&self->lock);
    return result;
}

static bool disk_has(struct faulty_os *self, const struct faulty_file *file, uint64_t size)
{
    int64_t growth = size > file->size ? (int64_t)(size - file->size) : 0;
    if (growth == 0 || faulty_image_bytes(&self->live) + growth <= self->disk_bytes)
        return true;
    errno = ENOSPC;
    return false;
}

static ssize_t write_live(struct faulty_os *self, int file, const struct iovec *parts, int count, uint64_t offset,
                          size_t limit)
{
    size_t size = 0, at = 0;
    for (int i = 0; i < count; i++)
        size += parts[i].iov_len;
    if (size > limit)
        size = limit;
    struct faulty_handle *handle = handle_of(self, file);
    if (!disk_has(self, file_of(self, file), offset + size))
        return -1;
    struct faulty_op *op = faulty_journal_add(self, OP_WRITE, handle->file);
    op->offset = offset;
    op->size = size;
    op->data = malloc(size > 0 ? size : 1);
    assert(op->data != NULL);
    for (int i = 0; i < count && at < size; i++) {
        size_t part = parts[i].iov_len < size - at ? parts[i].iov_len : size - at;
        memcpy(op->data + at, parts[i].iov_base, part);
        at += part;
    }
    faulty_file_write(file_of(self, file), offset, op->data, size);
    return (ssize_t)size;
}

static void wait_released(struct faulty_os *self)
{
    while (self->held)
        pthread_cond_wait(&self->released, &self->lock);
}

static ssize_t faulty_pwritev(void *context, int file, const struct iovec *parts, int count, off_t offset)
{
    struct faulty_os *self = context;
    size_t total = 0;
    for (int i = 0; i < count; i++)
        total += parts[i].iov_len;
    pthread_mutex_lock(&self->lock);
    wait_released(self);
    bool fails = call_fails(self);
    int error = errno;
    ssize_t result = -1;
    if (!fails)
        result = write_live(self, file, parts, count, (uint64_t)offset, total);
    else if (self->fault == FAULTY_SHORT && total > 1)
        result = write_live(self, file, parts, count, (uint64_t)offset, total / 2);
    else if (self->fault == FAULTY_AFTER) {
        write_live(self, file, parts, count, (uint64_t)offset, total);
        errno = error;
    }
    pthread_mutex_unlock(&self->lock);
    return result;
}

static ssize_t faulty_pread(void *context, int file, void *data, size_t size, off_t offset)
{
    struct faulty_os *self = context;
    pthread_mutex_lock(&self->lock);
    struct faulty_file *from = file_of(self, file);
    bool fails = call_fails(self);
    ssize_t result = -1;
    if (!fails || (self->fault == FAULTY_SHORT && size > 1)) {
        size_t available = (uint64_t)offset < from->size ? from->size - (size_t)offset : 0;
        size_t want = fails ? size / 2 : size;
        result = (ssize_t)(want < available ? want : available);
        if (result > 0)
            memcpy(data, from->data + offset, (size_t)result);
    }
    pthread_mutex_unlock(&self->lock);
    return result;
}

static int faulty_sync(void *context, int file)
{
    struct faulty_os *self = context;
    pthread_mutex_lock(&self->lock);
    wait_released(self);
    struct faulty_handle *handle = handle_of(self, file);
    bool fails = call_fails(self);
    int result = fails ? -1 : 0;
    if (handle->kind != FAULTY_PARENT)
        faulty_journal_add(self, fails ? OP_SYNC_FAILED : OP_SYNC,
                           handle->kind == FAULTY_FILE ? handle->file : FAULTY_FOLDER_FILE);
    pthread_mutex_unlock(&self->lock);
    return result;
}

/* Runs `change` unless the call is to fail before it. */
static int change_size(struct faulty_os *self, int file, uint64_t size, bool only_grow)
{
    pthread_mutex_lock(&self->lock);
    struct faulty_file *target = file_of(self, file);
    bool fails = call_fails(self);
    int error = errno, result = fails ? -1 : 0;
    if (!fails || self->fault == FAULTY_AFTER) {
        bool needed = !only_grow || size > target->size;
        if (needed && !disk_has(self, target, size))
            result = -1;
        else if (needed) {
            faulty_file_set_size(target, (size_t)size);
            faulty_journal_add(self, OP_SIZE, handle_of(self, file)->file)->offset = size;
        }
        if (fails)
            errno = error;
    }
    pthread_mutex_unlock(&self->lock);
    return result;
}

static int faulty_ftruncate(void *context, int file, off_t size)
{
    return change_size(context, file, (uint64_t)size, false);
}

static int faulty_fallocate(void *context, int file, off_t offset, off_t size)
{
    return change_size(context, file, (uint64_t)(offset + size), true);
}

static int faulty_unlink(void *context, int folder, const char *name)
{
    struct faulty_os *self = context;
    (void)folder;
    pthread_mutex_lock(&self->lock);
    bool fails = call_fails(self);
    int error = errno, result = -1;
    if (faulty_image_find(&self->live, name) == NULL && !fails) {
        errno = ENOENT;
    } else if (!fails || self->fault == FAULTY_AFTER) {
        faulty_image_unlink(&self->live, name);
        faulty_journal_add_name(self, OP_UNLINK, name, "", 0);
        result = fails ? -1 : 0;
        errno = error;
    }
    pthread_mutex_unlock(&self->lock);
    return result;
}

static int faulty_rename(void *context, int folder, const char *from, const char *to)
{
    struct faulty_os *self = context;
    (void)folder;
    pthread_mutex_lock(&self->lock);
    bool fails = call_fails(self);
    int error = errno, result = -1;
    struct faulty_name *slot = faulty_image_find(&self->live, from);
    if (slot == NULL && !fails) {
        errno = ENOENT;
    } else if (!fails || self->fault == FAULTY_AFTER) {
        size_t file = slot->file;
        faulty_image_rename(&self->live, from, to, file);
        faulty_journal_add_name(self, OP_RENAME, from, to, file);
        result = fails ? -1 : 0;
        errno = error;
    }
    pthread_mutex_unlock(&self->lock);
    return result;
}

static int64_t faulty_file_size(void *context, int file)
{
    struct faulty_os *self = context;
    pthread_mutex_lock(&self->lock);
    int64_t size = call_fails(self) ? -1 : (int64_t)file_of(self, file)->size;
    pthread_mutex_unlock(&self->lock);
    return size;
}

static int64_t faulty_disk_free(void *context, int file)
{
    struct faulty_os *self = context;
    (void)file;
    pthread_mutex_lock(&self->lock);
    int64_t available = call_fails(self) ? -1 : self->disk_bytes - faulty_image_bytes(&self->live);
    pthread_mutex_unlock(&self->lock);
    return available;
}

static int faulty_mkdir(void *context, int folder, const char *name, mode_t mode)
{
    struct faulty_os *self = context;
    (void)folder;
    (void)name;
    (void)mode;
    pthread_mutex_lock(&self->lock);
    if (!call_fails(self))
        errno = EEXIST;
    pthread_mutex_unlock(&self->lock);
    return -1;
}

static int faulty_list(void *context, int folder, os_visit *visit, void *visitor)
{
    struct faulty_os *self = context;
    (void)folder;
    char(*names)[FAULTY_NAME_MAX] = calloc(FAULTY_FILES_MAX, FAULTY_NAME_MAX);
    assert(names != NULL);
    pthread_mutex_lock(&self->lock);
    int result = call_fails(self) ? -1 : 0;
    size_t count = self->live.name_count;
    for (size_t i = 0; i < count; i++)
        memcpy(names[i], self->live.names[i].text, FAULTY_NAME_MAX);
    pthread_mutex_unlock(&self->lock);
    /* Newest first, so that nobody relies on an order; without the lock, as the visitor calls back. */
    for (size_t i = count; i-- > 0 && result == 0;) {
        if (names[i][0] != '\0')
            result = visit(visitor, names[i]);
    }
    free(names);
    return result;
}

static int faulty_lock(void *context, int file)
{
    struct faulty_os *self = context;
    pthread_mutex_lock(&self->lock);
    int result = -1;
    if (!call_fails(self)) {
        if (self->locked)
            errno = EWOULDBLOCK;
        else {
            handle_of(self, file)->locks = self->locked = true;
            result = 0;
        }
    }
    pthread_mutex_unlock(&self->lock);
    return result;
}

static int faulty_random(void *context, void *data, size_t size)
{
    struct faulty_os *self = context;
    pthread_mutex_lock(&self->lock);
    int result = call_fails(self) ? -1 : 0;
    for (size_t i = 0; i < size && result == 0; i++)
        ((uint8_t *)data)[i] = (uint8_t)faulty_random_next(&self->random);
    pthread_mutex_unlock(&self->lock);
    return result;
}

static uint64_t faulty_now(void *context)
{
    struct faulty_os *self = context;
    pthread_mutex_lock(&self->lock);
    uint64_t now = self->now_us++;
    pthread_mutex_unlock(&self->lock);
    return now;
}

struct faulty_os *faulty_os_new(void)
{
    struct faulty_os *self = calloc(1, sizeof *self);
    assert(self != NULL);
    self->os = (struct os){
        .context = self,
        .open = faulty_open,
        .close = faulty_close,
        .pwritev = faulty_pwritev,
        .pread = faulty_pread,
        .fdatasync = faulty_sync,
        .fsync = faulty_sync,
        .ftruncate = faulty_ftruncate,
        .fallocate = faulty_fallocate,
        .unlink = faulty_unlink,
        .rename = faulty_rename,
        .file_size = faulty_file_size,
        .disk_free = faulty_disk_free,
        .mkdir = faulty_mkdir,
        .list = faulty_list,
        .lock = faulty_lock,
        .random = faulty_random,
        .unix_us = faulty_now,
        .mono_us = faulty_now,
    };
    self->disk_bytes = 1 << 30;
    self->now_us = 1700000000000000u;
    pthread_mutex_init(&self->lock, NULL);
    pthread_cond_init(&self->released, NULL);
    return self;
}

void faulty_os_free(struct faulty_os *self)
{
    for (size_t i = 0; i < self->op_count; i++)
        free(self->ops[i].data);
    free(self->ops);
    faulty_image_release(&self->live);
    faulty_image_release(&self->base);
    pthread_mutex_destroy(&self->lock);
    pthread_cond_destroy(&self->released);
    free(self);
}

void faulty_os_fail(struct faulty_os *self, uint64_t from, uint64_t count, enum faulty_fault fault, int error)
{
    pthread_mutex_lock(&self->lock);
    self->fail_from = self->calls + from;
    self->fail_to = count > UINT64_MAX - self->fail_from ? UINT64_MAX : self->fail_from + count;
    self->fault = fault;
    self->fail_errno = error;
    pthread_mutex_unlock(&self->lock);
}

bool faulty_os_has_failed(struct faulty_os *self)
{
    pthread_mutex_lock(&self->lock);
    bool failed = self->calls > self->fail_from;
    pthread_mutex_unlock(&self->lock);
    return failed;
}

void faulty_os_set_disk(struct faulty_os *self, int64_t bytes)
{
    pthread_mutex_lock(&self->lock);
    self->disk_bytes = bytes;
    pthread_mutex_unlock(&self->lock);
}

void faulty_os_hold(struct faulty_os *self)
{
    pthread_mutex_lock(&self->lock);
    self->held = true;
    pthread_mutex_unlock(&self->lock);
}

void faulty_os_release(struct faulty_os *self)
{
    pthread_mutex_lock(&self->lock);
    self->held = false;
    pthread_cond_broadcast(&self->released);
    pthread_mutex_unlock(&self->lock);
}

void faulty_os_mark(struct faulty_os *self, uint64_t value)
{
    pthread_mutex_lock(&self->lock);
    faulty_journal_add(self, OP_MARK, 0)->value = value;
    pthread_mutex_unlock(&self->lock);
}

void faulty_os_kill(struct faulty_os *self)
{
    memset(self->handles, 0, sizeof self->handles);
    self->locked = false;
}

void faulty_os_damage(struct faulty_os *self, const char *name, uint64_t offset, uint8_t mask)
{
    struct faulty_name *slot = faulty_image_find(&self->live, name);
    assert(slot != NULL);
    struct faulty_file *file = &self->live.files[slot->file];
    uint8_t byte = file->data[offset] ^ mask;
    struct faulty_op *op = faulty_journal_add(self, OP_WRITE, slot->file);
    op->offset = offset;
    op->size = 1;
    op->data = malloc(1);
    assert(op->data != NULL);
    op->data[0] = byte;
    faulty_file_write(file, offset, &byte, 1);
    faulty_journal_add(self, OP_SYNC, slot->file);
}

struct faulty_file *faulty_os_find(struct faulty_os *self, const char *name)
{
    struct faulty_name *slot = faulty_image_find(&self->live, name);
    return slot == NULL ? NULL : &self->live.files[slot->file];
}

void faulty_os_put(struct faulty_os *self, const char *name, const void *data, size_t size)
{
    if (faulty_os_find(self, name) == NULL)
        faulty_image_link(&self->live, name, self->live.file_count);
    struct faulty_file *file = faulty_os_find(self, name);
    faulty_file_set_size(file, 0);
    faulty_file_write(file, 0, data, size);
}

void faulty_os_remove(struct faulty_os *self, const char *name)
{
    faulty_image_unlink(&self->live, name);
}

const char *faulty_os_name(struct faulty_os *self, size_t n)
{
    const char *last = "";
    for (;; n--) {
        const char *next = NULL;
        for (size_t i = 0; i < self->live.name_count; i++) {
            const char *text = self->live.names[i].text;
            if (strcmp(text, last) > 0 && (next == NULL || strcmp(text, next) < 0))
                next = text;
        }
        if (next == NULL || n == 0)
            return next;
        last = next;
    }
}

bool faulty_os_same(struct faulty_os *a, struct faulty_os *b)
{
    for (size_t i = 0;; i++) {
        const char *name = faulty_os_name(a, i), *other = faulty_os_name(b, i);
        if (name == NULL || other == NULL)
            return name == other;
        struct faulty_file *one = faulty_os_find(a, name), *two = faulty_os_find(b, other);
        if (strcmp(name, other) != 0 || one->size != two->size ||
            (one->size > 0 && memcmp(one->data, two->data, one->size) != 0))
            return false;
    }
}

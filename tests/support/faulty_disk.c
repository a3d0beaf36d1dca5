#include "tests/support/faulty_disk.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void faulty_file_set_size(struct faulty_file *file, size_t size)
{
    if (size > file->room) {
        file->room = size * 2;
        file->data = realloc(file->data, file->room);
        assert(file->data != NULL);
    }
    if (size > file->size)
        memset(file->data + file->size, 0, size - file->size);
    file->size = size;
}

void faulty_file_write(struct faulty_file *file, uint64_t offset, const void *data, size_t size)
{
    if (size == 0)
        return;
    if (offset + size > file->size)
        faulty_file_set_size(file, (size_t)offset + size);
    memcpy(file->data + offset, data, size);
}

struct faulty_name *faulty_image_find(struct faulty_image *self, const char *name)
{
    for (size_t i = 0; i < FAULTY_FILES_MAX; i++) {
        if (strcmp(self->names[i].text, name) == 0)
            return &self->names[i];
    }
    return NULL;
}

void faulty_image_unlink(struct faulty_image *self, const char *name)
{
    struct faulty_name *slot = faulty_image_find(self, name);
    if (slot != NULL)
        slot->text[0] = '\0';
}

void faulty_image_link(struct faulty_image *self, const char *name, size_t file)
{
    struct faulty_name *slot = faulty_image_find(self, name);
    if (slot == NULL)
        slot = faulty_image_find(self, "");
    assert(slot != NULL && strlen(name) < FAULTY_NAME_MAX);
    memcpy(slot->text, name, strlen(name) + 1);
    slot->file = file;
    if (file >= self->file_count)
        self->file_count = file + 1;
}

void faulty_image_rename(struct faulty_image *self, const char *from, const char *to)
{
    struct faulty_name *slot = faulty_image_find(self, from);
    if (slot == NULL)
        return;
    size_t file = slot->file;
    slot->text[0] = '\0';
    faulty_image_link(self, to, file);
}

void faulty_image_copy(struct faulty_image *self, const struct faulty_image *from)
{
    memcpy(self->names, from->names, sizeof self->names);
    self->file_count = from->file_count;
    for (size_t i = 0; i < from->file_count; i++)
        faulty_file_write(&self->files[i], 0, from->files[i].data, from->files[i].size);
}

void faulty_image_release(struct faulty_image *self)
{
    for (size_t i = 0; i < FAULTY_FILES_MAX; i++)
        free(self->files[i].data);
}

int64_t faulty_image_bytes(const struct faulty_image *self)
{
    int64_t bytes = 0;
    for (size_t i = 0; i < FAULTY_FILES_MAX; i++) {
        if (self->names[i].text[0] != '\0')
            bytes += (int64_t)self->files[self->names[i].file].size;
    }
    return bytes;
}

uint64_t faulty_random_next(uint64_t *state)
{
    *state += 0x9e3779b97f4a7c15u;
    uint64_t z = *state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

struct faulty_op *faulty_journal_add(struct faulty_os *self, enum faulty_op_kind kind, size_t file)
{
    if (self->op_count == self->op_room) {
        self->op_room = self->op_room * 2 + 64;
        self->ops = realloc(self->ops, self->op_room * sizeof *self->ops);
        assert(self->ops != NULL);
    }
    struct faulty_op *op = &self->ops[self->op_count++];
    *op = (struct faulty_op){.kind = kind, .file = file};
    return op;
}

void faulty_journal_add_name(struct faulty_os *self, enum faulty_op_kind kind, const char *name, const char *to,
                             size_t inode)
{
    struct faulty_op *op = faulty_journal_add(self, kind, FAULTY_FOLDER_FILE);
    snprintf(op->name, sizeof op->name, "%s", name);
    snprintf(op->to, sizeof op->to, "%s", to);
    op->inode = inode;
}

static bool op_changes(const struct faulty_op *op)
{
    return op->kind <= OP_UNLINK;
}

/* The first sync after the change decides: success covers it, failure leaves it uncertain for ever. */
static bool op_is_durable(const struct faulty_os *self, size_t index, size_t op_count)
{
    for (size_t i = index + 1; i < op_count; i++) {
        const struct faulty_op *op = &self->ops[i];
        if (op->file == self->ops[index].file && (op->kind == OP_SYNC || op->kind == OP_SYNC_FAILED))
            return op->kind == OP_SYNC;
    }
    return false;
}

static size_t op_sectors(const struct faulty_op *op)
{
    if (op->kind != OP_WRITE || op->size == 0)
        return 0;
    return (size_t)((op->offset + op->size - 1) / FAULTY_SECTOR - op->offset / FAULTY_SECTOR + 1);
}

static void op_apply_sector(const struct faulty_op *op, size_t sector, struct faulty_image *image)
{
    uint64_t from = (op->offset / FAULTY_SECTOR + sector) * FAULTY_SECTOR, to = from + FAULTY_SECTOR;
    if (from < op->offset)
        from = op->offset;
    if (to > op->offset + op->size)
        to = op->offset + op->size;
    faulty_file_write(&image->files[op->file], from, op->data + (from - op->offset), (size_t)(to - from));
}

static void op_apply_sectors(const struct faulty_op *op, size_t from, size_t to, struct faulty_image *image)
{
    for (size_t i = from; i < to; i++)
        op_apply_sector(op, i, image);
}

static void op_apply(const struct faulty_op *op, struct faulty_image *image)
{
    switch (op->kind) {
    case OP_WRITE:
        faulty_file_write(&image->files[op->file], op->offset, op->data, op->size);
        return;
    case OP_SIZE:
        faulty_file_set_size(&image->files[op->file], (size_t)op->offset);
        return;
    case OP_LINK:
        faulty_image_link(image, op->name, op->inode);
        return;
    case OP_RENAME:
        faulty_image_rename(image, op->name, op->to);
        return;
    case OP_UNLINK:
        faulty_image_unlink(image, op->name);
        return;
    case OP_SYNC:
    case OP_SYNC_FAILED:
    case OP_MARK:
        return;
    }
}

size_t faulty_os_op_count(const struct faulty_os *self)
{
    return self->op_count;
}

bool faulty_os_op_mark(const struct faulty_os *self, size_t op, uint64_t *value)
{
    *value = self->ops[op].value;
    return self->ops[op].kind == OP_MARK;
}

static bool op_is_pending(const struct faulty_os *self, size_t index, size_t op_count)
{
    return op_changes(&self->ops[index]) && !op_is_durable(self, index, op_count);
}

size_t faulty_os_pending(const struct faulty_os *self, size_t op_count)
{
    size_t count = 0;
    for (size_t i = 0; i < op_count; i++)
        count += op_is_pending(self, i, op_count);
    return count;
}

size_t faulty_os_pending_sectors(const struct faulty_os *self, size_t op_count, size_t pending)
{
    for (size_t i = 0; i < op_count; i++) {
        if (op_is_pending(self, i, op_count) && pending-- == 0)
            return op_sectors(&self->ops[i]);
    }
    return 0;
}

static void crash_random(const struct faulty_op *op, uint64_t *random, struct faulty_image *image)
{
    uint64_t dice = faulty_random_next(random) % 4;
    if (dice == 0)
        return;
    if (op->kind != OP_WRITE || dice == 1) {
        op_apply(op, image);
        return;
    }
    for (size_t i = 0; i < op_sectors(op); i++) {
        if (faulty_random_next(random) % 2 == 0)
            op_apply_sector(op, i, image);
    }
}

static void crash_pending(const struct faulty_op *op, size_t number, const struct faulty_choice *choice,
                          uint64_t *random, struct faulty_image *image)
{
    size_t sectors = op_sectors(op), part = choice->sectors < sectors ? choice->sectors : sectors;
    switch (choice->mode) {
    case FAULTY_KEEP_PREFIX:
        if (number < choice->kept)
            op_apply(op, image);
        else if (number == choice->kept)
            op_apply_sectors(op, 0, part, image);
        return;
    case FAULTY_KEEP_SUFFIX:
        if (number > choice->kept)
            op_apply(op, image);
        else if (number == choice->kept)
            op_apply_sectors(op, sectors - part, sectors, image);
        return;
    case FAULTY_KEEP_RANDOM:
        crash_random(op, random, image);
        return;
    }
}

struct faulty_os *faulty_os_crash(const struct faulty_os *self, size_t op_count, const struct faulty_choice *choice)
{
    struct faulty_os *after = faulty_os_new();
    uint64_t random = choice->seed;
    size_t pending = 0;
    faulty_image_copy(&after->live, &self->base);
    for (size_t i = 0; i < op_count; i++) {
        const struct faulty_op *op = &self->ops[i];
        if (!op_changes(op))
            continue;
        if (op_is_durable(self, i, op_count))
            op_apply(op, &after->live);
        else
            crash_pending(op, pending++, choice, &random, &after->live);
    }
    after->live.file_count = self->live.file_count;
    faulty_image_copy(&after->base, &after->live);
    after->random = self->random + 1;
    after->disk_bytes = self->disk_bytes;
    return after;
}

struct faulty_os *faulty_os_kill_at(const struct faulty_os *self, size_t op_count)
{
    struct faulty_os *after = faulty_os_new();
    faulty_image_copy(&after->base, &self->base);
    faulty_image_copy(&after->live, &self->base);
    for (size_t i = 0; i < op_count; i++) {
        const struct faulty_op *op = &self->ops[i];
        struct faulty_op *copy = faulty_journal_add(after, op->kind, op->file);
        *copy = *op;
        if (op->data != NULL) {
            copy->data = malloc(op->size > 0 ? op->size : 1);
            assert(copy->data != NULL);
            memcpy(copy->data, op->data, op->size);
        }
        op_apply(op, &after->live);
    }
    after->live.file_count = self->live.file_count;
    after->random = self->random + 1;
    after->disk_bytes = self->disk_bytes;
    return after;
}

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
    for (size_t i = 0; i < self->name_count; i++) {
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
    if (slot == NULL && self->name_count < FAULTY_FILES_MAX)
        slot = &self->names[self->name_count++];
    assert(slot != NULL && strlen(name) < FAULTY_NAME_MAX);
    memcpy(slot->text, name, strlen(name) + 1);
    slot->file = file;
    if (file >= self->file_count)
        self->file_count = file + 1;
}

void faulty_image_rename(struct faulty_image *self, const char *from, const char *to, size_t file)
{
    faulty_image_unlink(self, from);
    faulty_image_link(self, to, file);
}

void faulty_image_copy(struct faulty_image *self, const struct faulty_image *from)
{
    memcpy(self->names, from->names, from->name_count * sizeof self->names[0]);
    self->name_count = from->name_count;
    self->file_count = from->file_count;
    for (size_t i = 0; i < from->file_count; i++)
        faulty_file_write(&self->files[i], 0, from->files[i].data, from->files[i].size);
}

void faulty_image_release(struct faulty_image *self)
{
    for (size_t i = 0; i < self->file_count; i++)
        free(self->files[i].data);
}

int64_t faulty_image_bytes(const struct faulty_image *self)
{
    int64_t bytes = 0;
    for (size_t i = 0; i < self->name_count; i++) {
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

static size_t op_sectors(const struct faulty_op *op, size_t sector_bytes)
{
    if (op->kind != OP_WRITE || op->size == 0)
        return 0;
    return (size_t)((op->offset + op->size - 1) / sector_bytes - op->offset / sector_bytes + 1);
}

struct sector {
    uint64_t from, to; /* what of it the entry writes */
};

static struct sector op_sector(const struct faulty_op *op, size_t number, size_t sector_bytes)
{
    uint64_t from = (op->offset / sector_bytes + number) * sector_bytes, to = from + sector_bytes;
    return (struct sector){from < op->offset ? op->offset : from, to > op->offset + op->size ? op->offset + op->size : to};
}

static void op_apply_sectors(const struct faulty_op *op, size_t from, size_t to, size_t sector_bytes,
                             struct faulty_image *image)
{
    for (size_t i = from; i < to; i++) {
        struct sector part = op_sector(op, i, sector_bytes);
        faulty_file_write(&image->files[op->file], part.from, op->data + (part.from - op->offset),
                          (size_t)(part.to - part.from));
    }
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
        faulty_image_rename(image, op->name, op->to, op->inode);
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

size_t faulty_os_pending_sectors(const struct faulty_os *self, size_t op_count, size_t pending, size_t sector_bytes)
{
    for (size_t i = 0; i < op_count; i++) {
        if (op_is_pending(self, i, op_count) && pending-- == 0)
            return op_sectors(&self->ops[i], sector_bytes);
    }
    return 0;
}

const char *faulty_os_op_name(const struct faulty_os *self, size_t op, bool *removed)
{
    const struct faulty_op *entry = &self->ops[op];
    *removed = entry->kind == OP_UNLINK;
    return *removed ? entry->name : entry->kind == OP_RENAME ? entry->to : NULL;
}

/* What a disk may show where nothing was written yet: whatever the block held before it was given to this file. */
static void crash_stale(struct faulty_image *image, size_t file, struct sector part, uint64_t seed)
{
    struct faulty_file *target = &image->files[file], *old = &image->files[seed % (file > 0 ? file : 1)];
    if (part.to > target->size)
        part.to = target->size;
    for (uint64_t at = part.from; at < part.to; at++) {
        if (target->data[at] != 0)
            return; /* was written: rewriting does not lose it (FORMAT.md 9) */
    }
    for (uint64_t at = part.from; at < part.to; at++)
        target->data[at] = file > 0 && at < old->size ? old->data[at] : (uint8_t)faulty_random_next(&seed);
}

static void crash_random(const struct faulty_op *op, const struct faulty_choice *choice, uint64_t *random,
                         struct faulty_image *image)
{
    uint64_t dice = faulty_random_next(random) % 4;
    if (dice == 0)
        return;
    if (op->kind != OP_WRITE || dice == 1) {
        uint64_t before = op->kind == OP_SIZE ? image->files[op->file].size : op->offset;
        op_apply(op, image);
        if (op->kind == OP_SIZE && choice->stale && before < op->offset)
            crash_stale(image, op->file, (struct sector){before, op->offset}, *random);
        return;
    }
    for (size_t i = 0; i < op_sectors(op, choice->sector_bytes); i++) {
        if (faulty_random_next(random) % 2 == 0)
            op_apply_sectors(op, i, i + 1, choice->sector_bytes, image);
        else if (choice->stale)
            crash_stale(image, op->file, op_sector(op, i, choice->sector_bytes), *random);
    }
}

static void crash_pending(const struct faulty_op *op, size_t number, const struct faulty_choice *choice,
                          uint64_t *random, struct faulty_image *image)
{
    size_t sectors = op_sectors(op, choice->sector_bytes), part = choice->sectors < sectors ? choice->sectors : sectors;
    switch (choice->mode) {
    case FAULTY_KEEP_PREFIX:
        if (number < choice->kept)
            op_apply(op, image);
        else if (number == choice->kept)
            op_apply_sectors(op, 0, part, choice->sector_bytes, image);
        return;
    case FAULTY_KEEP_SUFFIX:
        if (number > choice->kept)
            op_apply(op, image);
        else if (number == choice->kept)
            op_apply_sectors(op, sectors - part, sectors, choice->sector_bytes, image);
        return;
    case FAULTY_KEEP_SET:
        if (choice->seed >> number % 64 & 1)
            op_apply(op, image);
        return;
    case FAULTY_KEEP_RANDOM:
        crash_random(op, choice, random, image);
        return;
    }
}

struct faulty_os *faulty_os_crash(const struct faulty_os *self, size_t op_count, const struct faulty_choice *choice)
{
    struct faulty_os *after = faulty_os_new();
    struct faulty_choice picked = *choice;
    uint64_t random = choice->seed;
    size_t pending = 0;
    if (picked.sector_bytes == 0)
        picked.sector_bytes = FAULTY_SECTOR;
    faulty_image_copy(&after->live, &self->base);
    for (size_t i = 0; i < op_count; i++) {
        const struct faulty_op *op = &self->ops[i];
        if (!op_changes(op))
            continue;
        if (op_is_durable(self, i, op_count))
            op_apply(op, &after->live);
        else
            crash_pending(op, pending++, &picked, &random, &after->live);
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

static uint64_t hash_bytes(uint64_t hash, const void *data, size_t size)
{
    const uint8_t *bytes = data;
    for (size_t i = 0; i < size; i += 8) {
        uint64_t word = 0;
        memcpy(&word, bytes + i, size - i < 8 ? size - i : 8);
        hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
        hash ^= hash >> 29;
    }
    return hash;
}

uint64_t faulty_os_hash(const struct faulty_os *self)
{
    uint64_t sum = 0; /* a sum: the order of the names in memory means nothing */
    for (size_t i = 0; i < self->live.name_count; i++) {
        const struct faulty_name *name = &self->live.names[i];
        if (name->text[0] == '\0')
            continue;
        const struct faulty_file *file = &self->live.files[name->file];
        uint64_t hash = hash_bytes(file->size + 1, name->text, strlen(name->text));
        sum += hash_bytes(hash, file->data, file->size);
    }
    return sum;
}

/* Private to faulty_os: images, the journal of changes, and what a crash leaves of it (faulty_disk.c). */
#ifndef VITRACE_TESTS_FAULTY_DISK_H
#define VITRACE_TESTS_FAULTY_DISK_H

#include "tests/support/faulty_os.h"

enum faulty_op_kind { OP_WRITE, OP_SIZE, OP_LINK, OP_RENAME, OP_UNLINK, OP_SYNC, OP_SYNC_FAILED, OP_MARK };

#define FAULTY_FOLDER_FILE SIZE_MAX /* as the file of names and of folder syncs */

struct faulty_op {
    enum faulty_op_kind kind;
    size_t file;  /* what a sync must be of to cover it */
    size_t inode; /* OP_LINK, OP_RENAME: what the name then means, whatever became of the name before */
    uint64_t offset, value;
    uint8_t *data;
    size_t size;
    char name[FAULTY_NAME_MAX], to[FAULTY_NAME_MAX];
};

void faulty_file_set_size(struct faulty_file *file, size_t size);
void faulty_file_write(struct faulty_file *file, uint64_t offset, const void *data, size_t size);
struct faulty_name *faulty_image_find(struct faulty_image *self, const char *name); /* "" finds a slot that is free again */
void faulty_image_unlink(struct faulty_image *self, const char *name);
void faulty_image_link(struct faulty_image *self, const char *name, size_t file);
void faulty_image_rename(struct faulty_image *self, const char *from, const char *to, size_t file);
void faulty_image_copy(struct faulty_image *self, const struct faulty_image *from);
void faulty_image_release(struct faulty_image *self);
int64_t faulty_image_bytes(const struct faulty_image *self);
struct faulty_op *faulty_journal_add(struct faulty_os *self, enum faulty_op_kind kind, size_t file);
void faulty_journal_add_name(struct faulty_os *self, enum faulty_op_kind kind, const char *name, const char *to,
                             size_t inode);
uint64_t faulty_random_next(uint64_t *state);

#endif

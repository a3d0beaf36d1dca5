/* Copies of strings that stay where they are until all are released together. */
#ifndef VITRACE_QUERY_TEXT_H
#define VITRACE_QUERY_TEXT_H

#include "proto/wire/slice.h"

#define QUERY_TEXT_BYTES_MAX (16u << 20)

struct query_text_block;
struct query_text {
    struct query_text_block *newest;
    size_t bytes; /* of all blocks */
};

/* Empty when out of memory or over the maximum: a missing word, never a wrong one. */
struct slice query_text_add(struct query_text *self, struct slice text);
void query_text_release(struct query_text *self);

#endif

/*
 * Reads one batch of the inbox (wasm/abi/inbox.h). Everything in it is untrusted: a number out of range, a string
 * index past the batch or bytes that are not UTF-8 mark the record bad (sticky), and the reader goes on.
 */
#ifndef VITRACE_INBOX_READER_H
#define VITRACE_INBOX_READER_H

#include "proto/wire/slice.h"
#include "wasm/abi/inbox.h"

struct inbox_reader {
    const double *words; /* borrowed for the batch */
    uint32_t count;
    uint32_t at; /* the next record */
    struct slice strings;
    bool is_ascii; /* all strings are, as nearly always: none needs a second look */
    uint32_t string_count;
    uint32_t string_start[INBOX_STRINGS_MAX + 1]; /* string i is [start(i), start(i + 1) - 1): a NUL ends each */
};

/* false: sizes are out of bounds, or there are more than INBOX_STRINGS_MAX strings. */
bool inbox_reader_init(struct inbox_reader *self, const double *words, unsigned word_count, struct slice strings);

/* Kind of the record at `at` words, 0 when the batch ends there or it is no kind at all. */
unsigned inbox_reader_kind(const struct inbox_reader *self, uint32_t at);

/* One record: fields are numbered as in inbox.h, field 0 is the kind. */
struct inbox_record {
    const struct inbox_reader *reader;
    const double *words; /* child records lie behind the record's own, one after the other */
    bool bad;            /* sticky */
    uint32_t children;
    uint32_t children_at; /* counted from `words` */
    uint32_t child_words;
};

static inline struct inbox_record inbox_record_of(const struct inbox_reader *reader, uint32_t at)
{
    return (struct inbox_record){.reader = reader, .words = reader->words + at};
}

static inline struct inbox_record inbox_record_child(const struct inbox_record *self, uint32_t index)
{
    return (struct inbox_record){.reader = self->reader,
                                 .words = self->words + self->children_at + index * self->child_words};
}

/* As it is: NaN = the browser does not have it. The infinities mark the record bad and read as NaN. */
double inbox_record_number(struct inbox_record *self, unsigned field);
/* A time in milliseconds, unrounded; absent = 0. */
double inbox_record_ms(struct inbox_record *self, unsigned field);
/* The same of several fields, one for each of `out`. */
void inbox_record_times(struct inbox_record *self, const uint8_t *fields, unsigned count, double *out);
/* A time in milliseconds as microseconds; absent = 0. `_time` also refuses a negative one. */
int64_t inbox_record_micros(struct inbox_record *self, unsigned field);
uint64_t inbox_record_time(struct inbox_record *self, unsigned field);
/* The time that an entry must have. */
uint64_t inbox_record_start(struct inbox_record *self, unsigned field);
/* A time as an offset from `start_us`; absent or 0 (the browser discloses nothing) = 0. */
int64_t inbox_record_offset(struct inbox_record *self, unsigned field, int64_t start_us);
/* A whole number from 0 to `max`; absent = 0, fractions are cut off. */
uint32_t inbox_record_count(struct inbox_record *self, unsigned field, uint32_t max);
/* The same up to 2^53: bytes. */
uint64_t inbox_record_size(struct inbox_record *self, unsigned field);
/* A number of an enum that this build may not know: above `max` reads as `other`. */
uint32_t inbox_record_enum(struct inbox_record *self, unsigned field, uint32_t max, uint32_t other);
/* The score of a layout shift, which an entry must have: from 0 to what the collector takes. */
double inbox_record_score(struct inbox_record *self, unsigned field);
bool inbox_record_flag(struct inbox_record *self, unsigned field);
/* Borrowed for the batch; empty when the field names none. */
struct slice inbox_record_text(struct inbox_record *self, unsigned field);

#endif

#include "wasm/core/inbox_reader.h"

#include "wasm/core/micros.h"
#include "wasm/core/utf8.h"

#include <math.h>

#define COUNT_MAX 9007199254740992.0 /* 2^53 */

/* n - 1 NULs join n strings, any of them empty: no bytes at all are one empty string. */
static bool find_strings(struct inbox_reader *self)
{
    const uint8_t *begin = self->strings.data;
    size_t size = self->strings.size;
    self->string_count = 0;
    self->string_start[0] = 0;
    for (size_t at = 0; at <= size;) {
        if (self->string_count == INBOX_STRINGS_MAX)
            return false;
        const uint8_t *nul = at < size ? memchr(begin + at, 0, size - at) : NULL;
        at = nul != NULL ? (size_t)(nul - begin) + 1 : size + 1;
        self->string_start[++self->string_count] = (uint32_t)at;
    }
    return true;
}

bool inbox_reader_init(struct inbox_reader *self, const double *words, unsigned word_count, struct slice strings)
{
    self->words = words;
    self->count = word_count;
    self->at = 0;
    self->strings = strings;
    self->string_count = 0;
    if (word_count > INBOX_WORDS || strings.size > INBOX_STRING_BYTES)
        return false;
    return find_strings(self);
}

unsigned inbox_reader_kind(const struct inbox_reader *self, uint32_t at)
{
    if (at >= self->count)
        return 0;
    double kind = self->words[at];
    return kind >= 1 && kind < INBOX_KIND_COUNT ? (unsigned)kind : 0;
}

double inbox_record_number(struct inbox_record *self, unsigned field)
{
    double value = self->reader->words[self->at + field];
    if (isinf(value)) {
        self->bad = true;
        return NAN;
    }
    return value;
}

double inbox_record_ms(struct inbox_record *self, unsigned field)
{
    double ms = self->reader->words[self->at + field];
    if (micros_in_range(ms))
        return ms;
    if (!isnan(ms))
        self->bad = true;
    return 0;
}

int64_t inbox_record_micros(struct inbox_record *self, unsigned field)
{
    double ms = self->reader->words[self->at + field];
    if (micros_in_range(ms))
        return micros_of(ms);
    if (!isnan(ms))
        self->bad = true;
    return 0;
}

uint64_t inbox_record_time(struct inbox_record *self, unsigned field)
{
    int64_t us = inbox_record_micros(self, field);
    if (us >= 0)
        return (uint64_t)us;
    self->bad = true;
    return 0;
}

uint64_t inbox_record_start(struct inbox_record *self, unsigned field)
{
    if (isnan(self->reader->words[self->at + field]))
        self->bad = true;
    return inbox_record_time(self, field);
}

int64_t inbox_record_offset(struct inbox_record *self, unsigned field, int64_t start_us)
{
    int64_t us = inbox_record_micros(self, field);
    return us == 0 ? 0 : us - start_us;
}

uint64_t inbox_record_count(struct inbox_record *self, unsigned field, uint64_t max)
{
    double value = self->reader->words[self->at + field];
    if (isnan(value))
        return 0;
    if (value >= 0 && value <= COUNT_MAX && (uint64_t)value <= max)
        return (uint64_t)value;
    self->bad = true;
    return 0;
}

uint32_t inbox_record_enum(struct inbox_record *self, unsigned field, uint32_t max, uint32_t other)
{
    uint64_t value = inbox_record_count(self, field, UINT32_MAX);
    return value <= max ? (uint32_t)value : other;
}

bool inbox_record_flag(struct inbox_record *self, unsigned field)
{
    double value = inbox_record_number(self, field);
    return !isnan(value) && value != 0;
}

struct slice inbox_record_text(struct inbox_record *self, unsigned field)
{
    const struct inbox_reader *reader = self->reader;
    uint64_t index = inbox_record_count(self, field, reader->string_count);
    if (index == 0)
        return slice_of(NULL, 0);
    uint32_t start = reader->string_start[index - 1];
    uint32_t size = reader->string_start[index] - 1 - start;
    struct slice text = slice_of(size > 0 ? reader->strings.data + start : NULL, size);
    if (utf8_is_valid(text))
        return text;
    self->bad = true;
    return slice_of(NULL, 0);
}

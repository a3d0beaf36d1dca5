#include "wasm/core/inbox_reader.h"

#include "wasm/core/micros.h"
#include "wasm/core/utf8.h"

#include <math.h>

#define SIZE_END        9007199254740994.0 /* 2^53 is the last: its neighbour is 2 away */
#define EACH_BYTE(byte) (0x0101010101010101u * (byte))
#define SCORE_MAX       100.0 /* a fraction of the viewport times a distance is a few at most */

/* Eight bytes a step, while none of them is NUL. `seen` gathers every bit of what was skipped. */
static size_t skip_run(struct slice strings, size_t from, uint64_t *seen)
{
    size_t i = from;
    for (; i + 8 <= strings.size; i += 8) {
        uint64_t word;
        memcpy(&word, strings.data + i, sizeof word);
        if (((word - EACH_BYTE(0x01)) & ~word & EACH_BYTE(0x80)) != 0)
            break;
        *seen |= word;
    }
    return i;
}

/* n - 1 NULs join n strings, any of them empty: no bytes at all are one empty string. */
static bool find_strings(struct inbox_reader *self)
{
    const uint8_t *bytes = self->strings.data;
    size_t size = self->strings.size;
    uint32_t count = 0;
    uint64_t seen = 0;
    self->string_start[0] = 0;
    for (size_t at = 0; at <= size; at++) {
        at = skip_run(self->strings, at, &seen);
        uint8_t c = at < size ? bytes[at] : 0;
        seen |= c;
        if (c != 0)
            continue;
        if (count == INBOX_STRINGS_MAX)
            return false;
        self->string_start[++count] = (uint32_t)at + 1;
    }
    self->string_count = count;
    self->is_ascii = (seen & EACH_BYTE(0x80)) == 0;
    return true;
}

bool inbox_reader_init(struct inbox_reader *self, const double *words, unsigned word_count, struct slice strings)
{
    self->words = words;
    self->count = word_count;
    self->at = 0;
    self->strings = strings;
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

/* Many callers, few of them hot: the inliner does not know that in Wasm the call is the smaller of the two. */
#define SHARED __attribute__((noinline))

/* Comparisons instead of isnan and isinf, which look at bits: in Wasm that is five times the code. */
static bool is_absent(double value)
{
    return value != value;
}

static bool is_infinite(double value)
{
    return value - value != 0 && !is_absent(value);
}

SHARED double inbox_record_number(struct inbox_record *self, unsigned field)
{
    double value = self->words[field];
    if (!is_infinite(value))
        return value;
    self->bad = true;
    return NAN;
}

double inbox_record_ms(struct inbox_record *self, unsigned field)
{
    double ms = self->words[field];
    if (micros_in_range(ms))
        return ms;
    self->bad = self->bad || !is_absent(ms);
    return 0;
}

SHARED void inbox_record_times(struct inbox_record *self, const uint8_t *fields, unsigned count, double *out)
{
    for (unsigned i = 0; i < count; i++)
        out[i] = inbox_record_ms(self, fields[i]);
}

int64_t inbox_record_micros(struct inbox_record *self, unsigned field)
{
    return micros_of(inbox_record_ms(self, field));
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
    self->bad = self->bad || is_absent(self->words[field]);
    return inbox_record_time(self, field);
}

int64_t inbox_record_offset(struct inbox_record *self, unsigned field, int64_t start_us)
{
    int64_t us = inbox_record_micros(self, field);
    return us == 0 ? 0 : us - start_us;
}

/* `end`: the first number that is too large. What is refused reads as absent. */
static double read_whole(struct inbox_record *self, unsigned field, double end)
{
    double value = self->words[field];
    if (value >= 0 && value < end)
        return value;
    self->bad = self->bad || !is_absent(value);
    return 0;
}

SHARED uint32_t inbox_record_count(struct inbox_record *self, unsigned field, uint32_t max)
{
    return (uint32_t)read_whole(self, field, max + 1.0);
}

uint64_t inbox_record_size(struct inbox_record *self, unsigned field)
{
    return (uint64_t)read_whole(self, field, SIZE_END);
}

uint32_t inbox_record_enum(struct inbox_record *self, unsigned field, uint32_t max, uint32_t other)
{
    uint32_t value = inbox_record_count(self, field, UINT32_MAX);
    return value <= max ? value : other;
}

SHARED double inbox_record_score(struct inbox_record *self, unsigned field)
{
    double value = self->words[field];
    if (value >= 0 && value <= SCORE_MAX)
        return value;
    self->bad = true;
    return 0;
}

SHARED bool inbox_record_flag(struct inbox_record *self, unsigned field)
{
    double value = inbox_record_number(self, field);
    return value < 0 || value > 0; /* not NaN */
}

struct slice inbox_record_text(struct inbox_record *self, unsigned field)
{
    const struct inbox_reader *reader = self->reader;
    struct slice none = slice_of("", 0); /* not NULL: readers count from where a text begins */
    uint32_t index = inbox_record_count(self, field, reader->string_count);
    if (index == 0)
        return none;
    uint32_t start = reader->string_start[index - 1];
    uint32_t size = reader->string_start[index] - 1 - start;
    struct slice text = size > 0 ? slice_of(reader->strings.data + start, size) : none;
    if (reader->is_ascii || utf8_is_valid(text))
        return text;
    self->bad = true;
    return none;
}

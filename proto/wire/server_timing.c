/*
 *   header  = metric *( "," metric )
 *   metric  = token *( ";" token [ "=" ( token / quoted ) ] )        spaces and tabs may stand between any two
 *
 * Browsers do not reject a header: they read on as far as they understand it. After a parameter's value everything up
 * to the next ',' or ';' is dropped; anywhere else the first surprise ends the metric, and unless a ',' comes next also
 * the header. A metric whose name was read is kept.
 */
#include "proto/wire/server_timing.h"

static bool timing_is_space(uint8_t c)
{
    return c == ' ' || c == '\t';
}

static uint8_t timing_lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 'a' - 'A') : c;
}

static bool timing_is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* RFC 9110 tchar: visible ASCII without delimiters. */
static bool timing_is_token(uint8_t c)
{
    static const char delimiters[] = "\"(),/:;<=>?@[\\]{}";
    if (c <= ' ' || c >= 0x7f)
        return false;
    for (size_t i = 0; i < sizeof delimiters - 1; i++)
        if (c == (uint8_t)delimiters[i])
            return false;
    return true;
}

static struct slice timing_skip(struct slice text, size_t count)
{
    return slice_of(text.data + count, text.size - count);
}

static void timing_skip_spaces(struct slice *rest)
{
    while (rest->size > 0 && timing_is_space(rest->data[0]))
        *rest = timing_skip(*rest, 1);
}

static bool timing_take(struct slice *rest, uint8_t c)
{
    timing_skip_spaces(rest);
    if (rest->size == 0 || rest->data[0] != c)
        return false;
    *rest = timing_skip(*rest, 1);
    return true;
}

/* Empty = there is no token here. */
static struct slice timing_take_token(struct slice *rest)
{
    timing_skip_spaces(rest);
    struct slice token = slice_of(rest->data, 0);
    while (token.size < rest->size && timing_is_token(rest->data[token.size]))
        token.size++;
    if (token.size > 0)
        *rest = timing_skip(*rest, token.size);
    return token;
}

static void timing_drop_junk(struct slice *rest)
{
    while (rest->size > 0 && rest->data[0] != ',' && rest->data[0] != ';')
        *rest = timing_skip(*rest, 1);
}

/* Unescaped text of at most SERVER_TIMING_TEXT_MAX bytes, cut between characters of UTF-8. */
struct timing_text {
    char at[SERVER_TIMING_TEXT_MAX];
    size_t size;
    bool is_cut;
};

static void timing_text_add(struct timing_text *self, uint8_t c)
{
    if (self->is_cut)
        return;
    if (self->size < SERVER_TIMING_TEXT_MAX) {
        self->at[self->size++] = (char)c;
        return;
    }
    /* The first byte that is cut off may belong to a character that has begun: drop its beginning as well. */
    bool continues = (c & 0xc0) == 0x80;
    self->is_cut = true;
    while (continues && self->size > 0)
        continues = ((uint8_t)self->at[--self->size] & 0xc0) == 0x80;
}

/* A token, or a quoted string with escapes; one that is not terminated uses up the header and reads as empty. */
static void timing_take_value(struct slice *rest, struct timing_text *out)
{
    if (!timing_take(rest, '='))
        return;
    bool is_quoted = timing_take(rest, '"');
    bool is_open = is_quoted;
    bool is_escaped = false;
    while (rest->size > 0 && (is_quoted ? is_open : timing_is_token(rest->data[0]))) {
        uint8_t c = rest->data[0];
        *rest = timing_skip(*rest, 1);
        is_open = is_quoted && (is_escaped || c != '"');
        is_escaped = is_quoted && !is_escaped && c == '\\';
        if (is_open ? !is_escaped : !is_quoted)
            timing_text_add(out, c);
    }
    if (is_open)
        out->size = 0;
    timing_drop_junk(rest);
}

/* --- numbers: HTML's rules for parsing floating-point number values (trailing text is ignored) --- */

struct timing_number {
    uint64_t digits; /* the first 19: more do not fit, and do not change a duration */
    int32_t exponent;
};

/* Exact powers of ten. One correctly rounded step for up to 15 digits; a step more beyond. */
static double timing_scale(double value, int32_t exponent)
{
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    for (; exponent > 22 && value != 0; exponent -= 22)
        value *= powers[22];
    for (; exponent < -22 && value != 0; exponent += 22)
        value /= powers[22];
    if (value == 0)
        return value;
    return exponent < 0 ? value / powers[-exponent] : value * powers[exponent];
}

static void timing_take_digit(struct timing_number *number, uint8_t c, bool is_fraction)
{
    if (number->digits < 1000000000000000000u) {
        number->digits = number->digits * 10 + (uint64_t)(c - '0');
        number->exponent -= is_fraction;
    } else {
        number->exponent += !is_fraction;
    }
}

/* Returns false when there is no digit. */
static bool timing_take_digits(struct slice *text, struct timing_number *number)
{
    bool is_fraction = false;
    bool has_digit = false;
    for (; text->size > 0; *text = timing_skip(*text, 1)) {
        uint8_t c = text->data[0];
        if (timing_is_digit(c)) {
            has_digit = true;
            timing_take_digit(number, c, is_fraction);
        } else if (c == '.' && !is_fraction && (has_digit || (text->size > 1 && timing_is_digit(text->data[1])))) {
            is_fraction = true;
        } else {
            break;
        }
    }
    return has_digit;
}

static bool timing_take_sign(struct slice *text)
{
    bool is_negative = text->size > 0 && text->data[0] == '-';
    if (is_negative || (text->size > 0 && text->data[0] == '+'))
        *text = timing_skip(*text, 1);
    return is_negative;
}

static int32_t timing_take_exponent(struct slice text)
{
    int32_t exponent = 0;
    if (text.size == 0 || timing_lower(text.data[0]) != 'e')
        return 0;
    text = timing_skip(text, 1);
    bool is_negative = timing_take_sign(&text);
    /* 1e999 is out of range already; stopping there keeps the sum within int32. */
    for (; text.size > 0 && timing_is_digit(text.data[0]) && exponent < 1000; text = timing_skip(text, 1))
        exponent = exponent * 10 + (text.data[0] - '0');
    return is_negative ? -exponent : exponent;
}

static double timing_number_of(struct slice text)
{
    struct timing_number number = {0, 0};
    timing_skip_spaces(&text);
    bool is_negative = timing_take_sign(&text);
    if (!timing_take_digits(&text, &number))
        return 0;
    double value = timing_scale((double)number.digits, number.exponent + timing_take_exponent(text));
    if (value - value != 0)
        return 0; /* out of range */
    return is_negative ? -value : value;
}

/* --- metrics --- */

static bool timing_equals(struct slice text, struct slice lowercase)
{
    bool equal = text.size == lowercase.size;
    for (size_t i = 0; equal && i < text.size; i++)
        equal = timing_lower(text.data[i]) == lowercase.data[i];
    return equal;
}

static uint16_t timing_copy(char *out, const struct timing_text *text)
{
    memcpy(out, text->at, text->size);
    return (uint16_t)text->size;
}

/* `duration` NULL: not asked for. */
static void timing_take_parameters(struct slice *rest, struct server_timing *out, struct timing_text *duration)
{
    bool has_duration = duration == NULL;
    bool has_description = false;
    while (timing_take(rest, ';')) {
        struct timing_text value = {.size = 0};
        struct slice name = timing_take_token(rest);
        if (name.size == 0)
            return;
        timing_take_value(rest, &value);
        if (!has_description && timing_equals(name, slice_text("desc"))) {
            has_description = true;
            out->description_size = timing_copy(out->description, &value);
        } else if (!has_duration && timing_equals(name, slice_text("dur"))) {
            has_duration = true;
            *duration = value;
        }
    }
}

static bool timing_next(struct server_timing_reader *self, struct server_timing *out, struct timing_text *duration)
{
    struct slice name = timing_take_token(&self->rest);
    out->name_size = (uint16_t)(name.size < SERVER_TIMING_TEXT_MAX ? name.size : SERVER_TIMING_TEXT_MAX);
    if (name.size > 0)
        memcpy(out->name, name.data, out->name_size);
    out->description_size = 0;
    out->duration_ms = 0;
    if (name.size > 0)
        timing_take_parameters(&self->rest, out, duration);
    if (name.size == 0 || !timing_take(&self->rest, ','))
        self->rest.size = 0;
    return name.size > 0;
}

bool server_timing_reader_next(struct server_timing_reader *self, struct server_timing *out)
{
    struct timing_text duration = {.size = 0};
    if (!timing_next(self, out, &duration))
        return false;
    out->duration_ms = timing_number_of(slice_of(duration.at, duration.size));
    return true;
}

bool server_timing_reader_next_texts(struct server_timing_reader *self, struct server_timing *out)
{
    return timing_next(self, out, NULL);
}

enum server_timing_trace server_timing_trace_of(struct slice name)
{
    if (timing_equals(name, slice_text("trace")))
        return SERVER_TIMING_TRACE;
    if (timing_equals(name, slice_text("traceparent")))
        return SERVER_TIMING_TRACEPARENT;
    if (timing_equals(name, slice_text("traceresponse")))
        return SERVER_TIMING_TRACERESPONSE;
    return SERVER_TIMING_TRACE_NONE;
}

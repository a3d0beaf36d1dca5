/*
 *   GET /u/bob.smith%40example.org?id=4111-1111-1111-1111
 *          '------ address ------'       word: [A-Za-z0-9_-] and what is not ASCII
 *          '-' '---' '-------' '-'
 *
 * Words are judged from left to right; an address is looked for before the words that it consists of.
 */
#include "wasm/core/redactor.h"

#define DIGITS_MIN      9u  /* a telephone number, in texts */
#define CARD_DIGITS_MIN 13u /* ISO/IEC 7812 */
#define CARD_DIGITS_MAX 19u
#define SECRET_MIN      32u
/* The bridge cuts texts after as many characters: what ends there may be half an address. */
#define CUT_BYTES 1024u

enum {
    DIGIT = 1,
    LOWER = 2, /* what is not ASCII too */
    UPPER = 4,
    HEX = 8,
    DASH = 16,
    LOCAL = 32, /* . + %: of an address, but of no word */
    ALPHA = LOWER | UPPER,
    WORD = DIGIT | ALPHA | DASH
};

#define D (DIGIT | HEX)
#define L LOWER
#define U UPPER
#define X HEX
/* clang-format off */
static const uint8_t classes_of_ascii[128] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, LOCAL, 0, 0, 0, 0, 0, LOCAL, 0, DASH, LOCAL, 0,
    D, D, D, D, D, D, D, D, D, D, 0, 0, 0, 0, 0, 0,
    0, U|X, U|X, U|X, U|X, U|X, U|X, U, U, U, U, U, U, U, U, U,
    U, U, U, U, U, U, U, U, U, U, U, 0, 0, 0, 0, DASH,
    0, L|X, L|X, L|X, L|X, L|X, L|X, L, L, L, L, L, L, L, L, L,
    L, L, L, L, L, L, L, L, L, L, L, 0, 0, 0, 0, 0,
};
/* clang-format on */
#undef D
#undef L
#undef U
#undef X

/* 0 past the end, which is of no class. */
static uint8_t byte_at(const struct redactor *self, size_t i)
{
    return i < self->text.size ? self->text.data[i] : 0;
}

static unsigned class_at(const struct redactor *self, size_t i)
{
    uint8_t c = byte_at(self, i);
    return c < 0x80 ? classes_of_ascii[c] : LOWER;
}

static size_t skip(const struct redactor *self, size_t i, unsigned classes)
{
    while ((class_at(self, i) & classes) != 0)
        i++;
    return i;
}

/*
 * Does [at, end) begin with one of `names`? Each is written small and ends in a blank. Returns where the next name begins,
 * 0 = it does not; `size` is then how long the name was. One text of names needs no pointers and no strlen in the module.
 */
static size_t begins_with(const struct redactor *self, size_t at, size_t end, const char *names, size_t *size)
{
    bool is_same = true;
    *size = 0;
    for (size_t i = 0; names[i] != '\0'; i++) {
        if (names[i] == ' ') {
            if (is_same)
                return i + 1;
            is_same = true;
            *size = 0;
            continue;
        }
        is_same = is_same && at + *size < end && (self->text.data[at + *size] | 0x20) == (names[i] | 0x20);
        ++*size;
    }
    return 0;
}

static bool find(struct redactor *self, size_t begin, size_t end, struct slice label)
{
    self->begin = begin;
    self->end = self->at = end;
    self->label = label;
    return true;
}

/* --- addresses --- */

/* Bytes of the '@' at `i`, 0 when there is none. */
static size_t at_sign(const struct redactor *self, size_t i)
{
    if (byte_at(self, i) == '%')
        return byte_at(self, i + 1) == '4' && byte_at(self, i + 2) == '0' ? 3 : 0;
    return byte_at(self, i) == '@';
}

/*
 * End of the domain that begins at `i`, or `i`: a label behind a dot begins with a letter, package@1.2.3 is no address.
 * A dot or dash at its end belongs to the sentence.
 */
static size_t domain_end(const struct redactor *self, size_t i)
{
    size_t end = i, at = i;
    bool has_label = false;
    for (; (class_at(self, at) & WORD) != 0 || byte_at(self, at) == '.'; at++) {
        if ((class_at(self, at) & (ALPHA | DIGIT)) == 0)
            continue;
        end = at + 1;
        has_label = has_label || (at > i + 1 && byte_at(self, at - 1) == '.' && (class_at(self, at) & ALPHA) != 0);
    }
    return has_label || (at == self->text.size && at >= CUT_BYTES) ? end : i;
}

/* The first address from `at` on in what may be part of one. */
static void search_address(struct redactor *self)
{
    size_t local = self->at, i = self->at;
    self->email_begin = self->email_end = 0;
    for (; (class_at(self, i) & (WORD | LOCAL)) != 0 || at_sign(self, i) != 0; i++) {
        size_t sign = at_sign(self, i);
        if (sign == 0)
            continue;
        size_t domain = i + sign, end = domain_end(self, domain);
        if (i > local && end > domain) {
            self->email_begin = local;
            self->email_end = self->searched = end;
            return;
        }
        i = domain - 1;
        local = domain;
    }
    self->searched = i + 1;
}

/* --- words: [at, end) each --- */

/* What begins_with says of the first of the names. */
#define AUTHORIZATION sizeof "authorization"

static size_t secret_of(const struct redactor *self, size_t end)
{
    size_t secret = 0, size;
    for (size_t at = self->at; at < end && secret == 0; at++)
        secret = begins_with(self, at, end,
                             "authorization password passwd secret token api_key api-key apikey session ", &size);
    return secret;
}

static bool is_quote(uint8_t c)
{
    return c == '"' || c == '\'' || c == '`';
}

static size_t skip_blanks(const struct redactor *self, size_t i)
{
    while (byte_at(self, i) == ' ' || byte_at(self, i) == '\\')
        i++;
    return i;
}

static bool ends_value(uint8_t c)
{
    return c <= ' ' || c == ',' || c == ';' || c == '&' || c == ')' || c == '}' || c == '<' || c == '\\' || is_quote(c);
}

/* name=value, name: value, "name":"value"; an authorization has blanks in it */
static bool find_value(struct redactor *self, size_t end)
{
    size_t at = skip_blanks(self, end);
    at = is_quote(byte_at(self, at)) ? skip_blanks(self, at + 1) : at;
    size_t secret = byte_at(self, at) == '=' || byte_at(self, at) == ':' ? secret_of(self, end) : 0;
    if (secret == 0)
        return false;
    at = skip_blanks(self, at + 1);
    uint8_t quote = byte_at(self, at);
    at += is_quote(quote);
    size_t begin = at;
    for (uint8_t c; at < self->text.size; at++) {
        c = byte_at(self, at);
        if (is_quote(quote) ? c == quote : ends_value(c) && !(c == ' ' && secret == AUTHORIZATION))
            break;
    }
    return at > begin && find(self, begin, at, slice_text("[redacted]"));
}

static bool find_web_token(struct redactor *self, size_t end)
{
    if (end - self->at < 4 || memcmp(self->text.data + self->at, "eyJ", 3) != 0 || byte_at(self, end) != '.')
        return false;
    size_t payload = skip(self, end + 1, WORD);
    if (payload == end + 1 || byte_at(self, payload) != '.')
        return false;
    for (end = payload; byte_at(self, end) == '.' && end < self->text.size;)
        end = skip(self, end + 1, WORD);
    return find(self, self->at, end, slice_text("[token]"));
}

/* A hash in the name of a file of code tells a version, not a person. */
static bool is_code_file(const struct redactor *self, size_t at)
{
    size_t dot = 0, size;
    for (; at < self->text.size && byte_at(self, at) != '/'; at++)
        if (byte_at(self, at) == '.')
            dot = at + 1;
    return dot > 0 && begins_with(self, dot, at, "js mjs css wasm woff2 map ", &size) > 0 && size == at - dot;
}

static bool find_secret(struct redactor *self, size_t end)
{
    unsigned seen = 0;
    size_t hex = 0;
    if (end - self->at < SECRET_MIN || is_code_file(self, end))
        return false;
    for (size_t i = self->at; i < end; i++) {
        unsigned class = class_at(self, i);
        seen |= class;
        hex = (class & HEX) != 0 ? hex + 1 : 0;
        if (hex >= SECRET_MIN && (i + 1 == end || (class_at(self, i + 1) & HEX) == 0))
            return find(self, i + 1 - hex, i + 1, slice_text("[redacted]"));
    }
    /* Titles in URLs are long too, but of one case. */
    unsigned all = DIGIT | LOWER | UPPER;
    return (seen & all) == all && find(self, self->at, end, slice_text("[redacted]"));
}

/* First digits that the large card networks use: times in milliseconds begin with 1. */
static bool begins_card(uint8_t first, uint8_t second)
{
    return first == '2' ? second >= '2' && second <= '7' : first >= '3' && first <= '6';
}

/*
 * Digits in groups, "4111-1111 ...". Luhn's sum is kept for both parities, because which digits count twice is known at
 * the end only. Every group may be the last; more digits than a card has end the attempt.
 */
static bool find_number(struct redactor *self)
{
    size_t begin = self->at, count = 0, row = 0;
    unsigned sum = 0, twice = 0;
    bool is_phone = !self->is_path && begin > 0 && byte_at(self, begin - 1) == '+';
    bool is_card = begins_card(byte_at(self, begin), byte_at(self, begin + 1));
    size_t found = 0;
    for (size_t at = begin;; at++) {
        unsigned digit = byte_at(self, at) - (unsigned)'0', other = sum;
        if (digit <= 9) {
            count++;
            row++;
            sum = (twice + digit) % 10;
            twice = other + 2 * digit / 10 + 2 * digit % 10;
            continue;
        }
        if ((!self->is_path && row >= DIGITS_MIN) || (is_phone && count >= DIGITS_MIN) ||
            (is_card && count >= CARD_DIGITS_MIN && count <= CARD_DIGITS_MAX && sum == 0))
            found = at;
        uint8_t gap = byte_at(self, at);
        if ((gap != ' ' && gap != '-') || (class_at(self, at + 1) & DIGIT) == 0 || count > CARD_DIGITS_MAX)
            return found > 0 && find(self, begin, found, slice_text("[number]"));
        row = 0;
    }
}

static bool find_in_word(struct redactor *self, size_t end)
{
    if (find_value(self, end) || find_web_token(self, end) || (self->is_path && find_secret(self, end)))
        return true;
    while (self->at < end) {
        if ((class_at(self, self->at) & DIGIT) != 0) {
            if (find_number(self))
                return true;
            self->at = skip(self, self->at, DIGIT);
        } else {
            self->at++;
        }
    }
    self->at = end;
    return false;
}

struct redactor redactor_of(struct slice text, bool is_path)
{
    return (struct redactor){.text = text, .is_path = is_path};
}

bool redactor_is_plain(struct slice path)
{
    size_t word = 0, digits = 0;
    for (size_t i = 0; i < path.size; i++) {
        uint8_t c = path.data[i];
        if (c == '/' || c == '.') {
            word = digits = 0;
            continue;
        }
        digits = c <= '9' ? digits + 1 : 0; /* and their gaps */
        if (c == '@' || c == '%' || c == '=' || c == ':' || ++word >= SECRET_MIN || digits >= CARD_DIGITS_MIN ||
            (c == 'J' && word >= 3))
            return false;
    }
    return true;
}

bool redactor_next(struct redactor *self)
{
    while (self->at < self->text.size) {
        if (self->at >= self->searched)
            search_address(self);
        if (self->at >= self->email_begin && self->at < self->email_end)
            return find(self, self->at, self->email_end, slice_text("[email]"));
        size_t end = skip(self, self->at, WORD);
        if (self->email_begin > self->at && self->email_begin < end)
            end = self->email_begin; /* %40 has word characters */
        if (end > self->at ? find_in_word(self, end) : (self->at++, false))
            return true;
    }
    return false;
}

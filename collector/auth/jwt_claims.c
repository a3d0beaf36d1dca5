#include "collector/auth/jwt_claims.h"

#include "collector/base/json_reader.h"

#define JWT_SECONDS_DIGITS_MAX 12u /* year 33658; beyond it a number is no time */

enum { CLAIM_EXP = 1, CLAIM_NBF = 2, CLAIM_IAT = 4, CLAIM_ISS = 8, CLAIM_AUD = 16, CLAIM_ALG = 32 };

struct jwt_claims {
    struct json_reader reader;
    unsigned seen; /* bits of the members met */
    uint64_t exp, nbf, iat;
    bool iss_fits, aud_fits, alg_fits;
};

static bool claims_is_first(struct jwt_claims *self, unsigned bit)
{
    bool first = (self->seen & bit) == 0;
    self->seen |= bit;
    return first;
}

/* Digits, and a fraction that is cut. No sign and no exponent: no issuer writes a time so. */
static bool claims_take_seconds(struct json_reader *reader, uint64_t *out)
{
    struct slice digits;
    if (!json_reader_take_number(reader, &digits))
        return false;
    size_t at = 0;
    for (*out = 0; at < digits.size && digits.data[at] >= '0' && digits.data[at] <= '9'; at++)
        if (at < JWT_SECONDS_DIGITS_MAX)
            *out = *out * 10 + (uint64_t)(digits.data[at] - '0');
    if (at == 0 || at > JWT_SECONDS_DIGITS_MAX || (at < digits.size && digits.data[at] != '.'))
        return false;
    return memchr(digits.data, 'e', digits.size) == NULL && memchr(digits.data, 'E', digits.size) == NULL;
}

/* Byte by byte, as decoded: no folding of case, no Unicode forms. Nothing escaped is longer than six times itself. */
static bool claims_take_text(struct json_reader *reader, const char *expected, bool *fits)
{
    struct json_reader_text text;
    uint8_t decoded[6 * JWT_TEXT_BYTES_MAX];
    if (!json_reader_take_text(reader, &text))
        return false;
    if (text.escaped && text.raw.size > sizeof decoded)
        return true;
    struct slice value = text.escaped ? slice_of(decoded, json_reader_decode(&text, decoded)) : text.raw;
    *fits = *fits || slice_equal(value, slice_text(expected));
    return true;
}

/* A text, or a list of them. */
static bool claims_take_audience(struct json_reader *reader, const char *expected, bool *fits)
{
    if (json_reader_peek(reader) != JSON_READER_ARRAY)
        return claims_take_text(reader, expected, fits);
    if (!json_reader_enter(reader))
        return false;
    while (json_reader_next_item(reader))
        if (!claims_take_text(reader, expected, fits))
            return false;
    return !reader->failed;
}

static bool claims_take(struct jwt_claims *self, struct slice key, const struct jwt_options *options)
{
    struct json_reader *reader = &self->reader;
    if (slice_equal(key, slice_text("exp")))
        return claims_is_first(self, CLAIM_EXP) && claims_take_seconds(reader, &self->exp);
    if (slice_equal(key, slice_text("nbf")))
        return claims_is_first(self, CLAIM_NBF) && claims_take_seconds(reader, &self->nbf);
    if (slice_equal(key, slice_text("iat")))
        return claims_is_first(self, CLAIM_IAT) && claims_take_seconds(reader, &self->iat);
    if (slice_equal(key, slice_text("iss")))
        return claims_is_first(self, CLAIM_ISS) && claims_take_text(reader, options->issuer, &self->iss_fits);
    if (slice_equal(key, slice_text("aud")))
        return claims_is_first(self, CLAIM_AUD) && claims_take_audience(reader, options->audience, &self->aud_fits);
    return json_reader_skip(reader);
}

static enum jwt_verdict claims_judge(const struct jwt_claims *self, const struct jwt_options *options, uint64_t now)
{
    if ((self->seen & CLAIM_EXP) == 0 || self->exp + JWT_LEEWAY_S <= now)
        return JWT_EXPIRED;
    if (self->nbf > now + JWT_LEEWAY_S || self->iat > now + JWT_LEEWAY_S)
        return JWT_NOT_YET;
    if (options->issuer[0] != '\0' && !self->iss_fits)
        return JWT_ISSUER;
    return self->aud_fits ? JWT_GOOD : JWT_AUDIENCE;
}

enum jwt_verdict jwt_claims_check(struct slice json, const struct jwt_options *options, uint64_t now_unix_s)
{
    struct jwt_claims self = {.seen = 0};
    struct slice key;
    json_reader_init(&self.reader, json);
    if (json_reader_peek(&self.reader) != JSON_READER_OBJECT || !json_reader_enter(&self.reader))
        return JWT_MALFORMED;
    while (json_reader_next_key(&self.reader, &key))
        if (!claims_take(&self, key, options))
            return JWT_MALFORMED;
    return json_reader_end(&self.reader) ? claims_judge(&self, options, now_unix_s) : JWT_MALFORMED;
}

/* JWT_GOOD: go on with the next member. */
static enum jwt_verdict claims_take_header(struct jwt_claims *self, struct slice key, const char *algorithm)
{
    if (slice_equal(key, slice_text("crit")) || slice_equal(key, slice_text("b64")))
        return JWT_ALGORITHM;
    if (!slice_equal(key, slice_text("alg")))
        return json_reader_skip(&self->reader) ? JWT_GOOD : JWT_MALFORMED;
    if (!claims_is_first(self, CLAIM_ALG) || json_reader_peek(&self->reader) != JSON_READER_TEXT)
        return JWT_ALGORITHM;
    return claims_take_text(&self->reader, algorithm, &self->alg_fits) ? JWT_GOOD : JWT_MALFORMED;
}

enum jwt_verdict jwt_claims_check_header(struct slice json, enum jwt_algorithm algorithm)
{
    struct jwt_claims self = {.seen = 0};
    struct slice key;
    json_reader_init(&self.reader, json);
    if (json_reader_peek(&self.reader) != JSON_READER_OBJECT || !json_reader_enter(&self.reader))
        return JWT_MALFORMED;
    while (json_reader_next_key(&self.reader, &key)) {
        enum jwt_verdict verdict = claims_take_header(&self, key, jwt_algorithm_name(algorithm));
        if (verdict != JWT_GOOD)
            return verdict;
    }
    if (!json_reader_end(&self.reader))
        return JWT_MALFORMED;
    return self.alg_fits ? JWT_GOOD : JWT_ALGORITHM;
}

/*
 * Arbitrary bytes as the value of an Authorization header: exactly the two tokens' own spellings are let in. The oracle
 * reads the header the other way round, from its end.
 */
#include "collector/auth/auth.h"

#include <assert.h>
#include <stdlib.h>
#include <strings.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const tokens[] = {"vta_a", "vta_a b"};

/* "bearer" in any case, one blank or more, and a token to the end. */
static bool is_spelled(struct slice header, const char *token)
{
    size_t size = strlen(token);
    if (header.size < size || memcmp(header.data + header.size - size, token, size) != 0)
        return false;
    size_t front = header.size - size;
    while (front > 0 && header.data[front - 1] == ' ')
        front--;
    return front == 6 && front < header.size - size && strncasecmp((const char *)header.data, "bearer", 6) == 0;
}

/* What is taken as a hash is 64 digits, and both cases of them are the same. */
static void parse_hash(struct slice text)
{
    uint8_t lower[AUTH_HASH_BYTES], upper[AUTH_HASH_BYTES];
    uint8_t other[2 * AUTH_HASH_BYTES];
    if (!auth_hash_parse(text, lower))
        return;
    assert(text.size == sizeof other);
    for (size_t i = 0; i < sizeof other; i++)
        other[i] = text.data[i] >= 'A' ? text.data[i] ^ 0x20 : text.data[i];
    bool good = auth_hash_parse(slice_of(other, sizeof other), upper);
    assert(good && memcmp(lower, upper, sizeof lower) == 0);
    (void)good;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct counters counters = {0};
    struct auth_policy policy = {.hashes.count = 2};
    enum jwt_verdict jwt;
    uint8_t *copy = malloc(size + 1); /* its own allocation: a look beyond it is seen */
    assert(copy != NULL);
    if (size > 0)
        memcpy(copy, data, size);
    struct slice header = slice_of(copy, size);
    for (size_t i = 0; i < 2; i++)
        auth_hash(slice_text(tokens[i]), policy.hashes.hash[i]);
    struct auth *auth = auth_new(&(struct auth_options){.counters = &counters});
    assert(auth != NULL);
    auth_set(auth, &policy);
    assert((auth_judge(auth, header, 0, &jwt) == AUTH_GOOD) == (is_spelled(header, tokens[0]) || is_spelled(header, tokens[1])));
    parse_hash(header);
    auth_free(auth);
    free(copy);
    return 0;
}

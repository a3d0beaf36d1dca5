/*
 * Two ways in, by the first byte:
 *
 *   'h' header 00 claims   signed here with the right key, so that the readers behind the signature are reached. Oracle:
 *                          whoever was let in has claims that a tree-building reader (jansson) also lets in
 *   anything else          a token as it comes. Oracle: whoever was let in has, behind the last dot, exactly the HMAC
 *                          of what is before it
 */
#include "collector/auth/jwt.h"
#include "tests/support/jwt_maker.h"

#include <assert.h>
#include <jansson.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW 1900000000u

static const char secret[] = "a secret of more than thirty-two bytes, of this fuzz target";
static char token[4 * JWT_MAKER_TOKEN_BYTES];

static struct jwt *open_verifier(void)
{
    char path[] = "/tmp/vitrace-jwt-fuzz.XXXXXX", error[256];
    int descriptor = mkstemp(path);
    FILE *file = descriptor < 0 ? NULL : fdopen(descriptor, "w");
    assert(file != NULL);
    fputs(secret, file);
    fclose(file);
    struct jwt_options options = {.enabled = true, .algorithm = JWT_HS256, .audience = "vitrace", .issuer = "us"};
    memcpy(options.key_file, path, sizeof path);
    struct jwt *jwt = jwt_new(&options, error, sizeof error);
    remove(path);
    assert(jwt != NULL);
    return jwt;
}

static bool audience_has(const json_t *audience, const char *name)
{
    if (json_is_string(audience))
        return strcmp(json_string_value(audience), name) == 0;
    for (size_t i = 0; i < json_array_size(audience); i++)
        if (json_is_string(json_array_get(audience, i)) && strcmp(json_string_value(json_array_get(audience, i)), name) == 0)
            return true;
    return false;
}

/* What it cannot read (text that is no UTF-8, more digits than a double has) it has no opinion of. */
static void check_claims(struct slice header, struct slice claims)
{
    json_t *head = json_loadb((const char *)header.data, header.size, JSON_ALLOW_NUL, NULL);
    json_t *tree = json_loadb((const char *)claims.data, claims.size, JSON_ALLOW_NUL, NULL);
    if (head != NULL) {
        assert(strcmp(json_string_value(json_object_get(head, "alg")), "HS256") == 0);
        assert(json_object_get(head, "crit") == NULL && json_object_get(head, "b64") == NULL);
    }
    if (tree != NULL) {
        assert(json_number_value(json_object_get(tree, "exp")) + JWT_LEEWAY_S > NOW);
        assert(json_number_value(json_object_get(tree, "nbf")) < NOW + JWT_LEEWAY_S + 1);
        assert(json_number_value(json_object_get(tree, "iat")) < NOW + JWT_LEEWAY_S + 1);
        assert(strcmp(json_string_value(json_object_get(tree, "iss")), "us") == 0);
        assert(audience_has(json_object_get(tree, "aud"), "vitrace"));
    }
    json_decref(head);
    json_decref(tree);
}

static void try_signed(const struct jwt *jwt, struct slice input)
{
    const uint8_t *cut = input.size == 0 ? NULL : memchr(input.data, '\0', input.size);
    if (cut == NULL || input.size > JWT_BYTES_MAX)
        return;
    struct slice header = slice_of(input.data, (size_t)(cut - input.data));
    struct slice claims = slice_of(cut + 1, input.size - header.size - 1);
    jwt_maker_sign_hmac(slice_text(secret), header, claims, token);
    if (jwt_judge(jwt, slice_text(token), NOW) == JWT_GOOD)
        check_claims(header, claims);
}

static void check_signature(struct slice input)
{
    char made[JWT_MAKER_TOKEN_BYTES];
    const uint8_t *dot = memrchr(input.data, '.', input.size);
    assert(dot != NULL);
    size_t text_size = (size_t)(dot - input.data);
    jwt_maker_hmac(slice_text(secret), slice_of(input.data, text_size), made);
    assert(slice_equal(slice_of(dot + 1, input.size - text_size - 1), slice_text(made)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct jwt *jwt;
    if (jwt == NULL)
        jwt = open_verifier();
    uint8_t *copy = malloc(size + 1); /* its own allocation: a look beyond it is seen */
    assert(copy != NULL);
    if (size > 0)
        memcpy(copy, data, size);
    if (size > 0 && copy[0] == 'h')
        try_signed(jwt, slice_of(copy + 1, size - 1));
    else if (jwt_judge(jwt, slice_of(copy, size), NOW) == JWT_GOOD)
        check_signature(slice_of(copy, size));
    free(copy);
    return 0;
}

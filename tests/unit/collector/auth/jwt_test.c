/* Tokens of every algorithm, right and wrong in every way that is known to have let somebody in elsewhere. */
#include "collector/auth/jwt.h"
#include "tests/support/jwt_maker.h"

#include <openssl/pem.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define NOW 1900000000u

static struct jwt_maker makers[JWT_ALGORITHM_COUNT];
static struct jwt *verifiers[JWT_ALGORITHM_COUNT];
static char token[JWT_MAKER_TOKEN_BYTES];

static struct jwt_options options_of(enum jwt_algorithm algorithm, const char *key_file)
{
    struct jwt_options options = {.enabled = true, .algorithm = algorithm, .issuer = "https://login.example",
                                  .audience = "vitrace"};
    snprintf(options.key_file, sizeof options.key_file, "%s", key_file);
    return options;
}

static int start(void **state)
{
    char error[256];
    (void)state;
    for (unsigned i = 0; i < JWT_ALGORITHM_COUNT; i++) {
        jwt_maker_init(&makers[i], (enum jwt_algorithm)i);
        struct jwt_options options = options_of((enum jwt_algorithm)i, makers[i].key_file);
        verifiers[i] = jwt_new(&options, error, sizeof error);
        if (verifiers[i] == NULL)
            return 1;
    }
    return 0;
}

static int stop(void **state)
{
    (void)state;
    for (unsigned i = 0; i < JWT_ALGORITHM_COUNT; i++) {
        jwt_free(verifiers[i]);
        jwt_maker_release(&makers[i]);
    }
    return 0;
}

static struct slice header_of(enum jwt_algorithm algorithm)
{
    static char header[64];
    snprintf(header, sizeof header, "{\"alg\":\"%s\",\"typ\":\"JWT\"}", jwt_algorithm_name(algorithm));
    return slice_text(header);
}

static const char good_claims[] =
    "{\"iss\":\"https://login.example\",\"aud\":\"vitrace\",\"sub\":\"ann\",\"exp\":1900000600,\"iat\":1899999990}";

static void make_good(enum jwt_algorithm algorithm)
{
    jwt_maker_sign(&makers[algorithm], header_of(algorithm), slice_text(good_claims), token);
}

static void test_jwt__every_algorithm_takes_its_own_tokens_and_no_others(void **state)
{
    (void)state;
    for (unsigned of = 0; of < JWT_ALGORITHM_COUNT; of++)
        for (unsigned by = 0; by < JWT_ALGORITHM_COUNT; by++) {
            make_good((enum jwt_algorithm)of);
            enum jwt_verdict verdict = jwt_judge(verifiers[by], slice_text(token), NOW);
            assert_int_equal(verdict, of == by ? JWT_GOOD : JWT_ALGORITHM);
            /* The right alg in the header, another algorithm's signature behind it. */
            jwt_maker_sign(&makers[of], header_of((enum jwt_algorithm)by), slice_text(good_claims), token);
            verdict = jwt_judge(verifiers[by], slice_text(token), NOW);
            assert_int_equal(verdict, of == by ? JWT_GOOD : JWT_SIGNATURE);
        }
}

static void test_jwt__another_key_of_the_same_kind_opens_nothing(void **state)
{
    struct jwt_maker other;
    (void)state;
    for (unsigned i = 0; i < JWT_ALGORITHM_COUNT; i++) {
        jwt_maker_init(&other, (enum jwt_algorithm)i);
        other.secret[0] ^= 1;
        jwt_maker_sign(&other, header_of((enum jwt_algorithm)i), slice_text(good_claims), token);
        assert_int_equal(jwt_judge(verifiers[i], slice_text(token), NOW), JWT_SIGNATURE);
        jwt_maker_release(&other);
    }
}

static size_t read_file(const char *path, char *out, size_t room)
{
    FILE *file = fopen(path, "r");
    size_t size = fread(out, 1, room, file);
    fclose(file);
    return size;
}

/* The oldest trick: everybody has the public key, so it must never be a secret. */
static void test_jwt__a_public_key_is_no_hmac_secret(void **state)
{
    char pem[4096], error[256];
    (void)state;
    for (unsigned i = JWT_RS256; i < JWT_ALGORITHM_COUNT; i++) {
        size_t size = read_file(makers[i].key_file, pem, sizeof pem);
        jwt_maker_sign_hmac(slice_of(pem, size), header_of(JWT_HS256), slice_text(good_claims), token);
        assert_int_equal(jwt_judge(verifiers[i], slice_text(token), NOW), JWT_ALGORITHM);
        jwt_maker_sign_hmac(slice_of(pem, size), header_of((enum jwt_algorithm)i), slice_text(good_claims), token);
        assert_int_equal(jwt_judge(verifiers[i], slice_text(token), NOW), JWT_SIGNATURE);
        struct jwt_options options = options_of(JWT_HS256, makers[i].key_file);
        assert_null(jwt_new(&options, error, sizeof error));
        assert_non_null(strstr(error, "is PEM"));
    }
}

/* `good`: signed with the right key all the same. */
static const struct {
    const char *header;
    enum jwt_verdict verdict;
} headers[] = {
    {"{\"alg\":\"HS256\"}", JWT_GOOD},
    {"{\"kid\":\"../../etc/passwd\",\"alg\":\"HS256\"}", JWT_GOOD}, /* not looked at, so harmless */
    {"{\"alg\":\"HS256\",\"kid\":\"' OR 1=1 --\",\"jku\":\"http://evil.example/jwks\",\"x5u\":\"file:///x\"}", JWT_GOOD},
    {"{\"alg\":\"HS256\",\"jwk\":{\"kty\":\"oct\",\"k\":\"AAAA\"},\"x5c\":[\"AAAA\"]}", JWT_GOOD},
    {" {\n\"alg\" : \"HS256\"\t}\r\n", JWT_GOOD},
    {"{\"alg\":\"HS\\u0032\\u00356\"}", JWT_GOOD},
    {"{\"alg\":\"none\"}", JWT_ALGORITHM},
    {"{\"alg\":\"None\"}", JWT_ALGORITHM},
    {"{\"alg\":\"\"}", JWT_ALGORITHM},
    {"{\"alg\":null}", JWT_ALGORITHM},
    {"{\"alg\":[\"HS256\"]}", JWT_ALGORITHM},
    {"{\"alg\":256}", JWT_ALGORITHM},
    {"{\"alg\":\"hs256\"}", JWT_ALGORITHM},
    {"{\"alg\":\"HS256 \"}", JWT_ALGORITHM},
    {"{\"alg\":\"HS256\\u0000\"}", JWT_ALGORITHM},
    {"{\"alg\":\"HS384\"}", JWT_ALGORITHM},
    {"{\"ALG\":\"HS256\"}", JWT_ALGORITHM},
    {"{}", JWT_ALGORITHM},
    {"{\"alg\":\"HS256\",\"alg\":\"HS256\"}", JWT_ALGORITHM},
    {"{\"alg\":\"none\",\"alg\":\"HS256\"}", JWT_ALGORITHM},
    {"{\"alg\":\"HS256\",\"\\u0061lg\":\"none\"}", JWT_ALGORITHM},
    {"{\"alg\":\"HS256\",\"crit\":[\"exp\"],\"exp\":1}", JWT_ALGORITHM},
    {"{\"alg\":\"HS256\",\"crit\":[]}", JWT_ALGORITHM},
    {"{\"alg\":\"HS256\",\"\\u0063\\u0072\\u0069\\u0074\":[\"b64\"]}", JWT_ALGORITHM},
    {"{\"alg\":\"HS256\",\"b64\":false}", JWT_ALGORITHM},
    {"[\"HS256\"]", JWT_MALFORMED},
    {"\"HS256\"", JWT_MALFORMED},
    {"{\"alg\":\"HS256\"}{}", JWT_MALFORMED},
    {"{\"alg\":\"HS256\"", JWT_MALFORMED},
    {"{\"alg\":\"HS256\",}", JWT_MALFORMED},
    {"{alg:\"HS256\"}", JWT_MALFORMED},
    {"\xef\xbb\xbf{\"alg\":\"HS256\"}", JWT_MALFORMED},
};

static void test_jwt__nothing_in_the_header_chooses_how_it_is_judged(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        jwt_maker_sign(&makers[JWT_HS256], slice_text(headers[i].header), slice_text(good_claims), token);
        if (jwt_judge(verifiers[JWT_HS256], slice_text(token), NOW) != headers[i].verdict)
            fail_msg("%s", headers[i].header);
    }
}

static const struct {
    const char *claims; /* behind a right issuer */
    enum jwt_verdict verdict;
} claims[] = {
    {"\"aud\":\"vitrace\",\"exp\":1900000001", JWT_GOOD},
    {"\"aud\":\"vitrace\",\"exp\":1899999941", JWT_GOOD}, /* the last second of the leeway */
    {"\"aud\":\"vitrace\",\"exp\":1899999940", JWT_EXPIRED},
    {"\"aud\":\"vitrace\",\"exp\":1899999940.999", JWT_EXPIRED},
    {"\"aud\":\"vitrace\",\"exp\":1900000001.5", JWT_GOOD},
    {"\"aud\":\"vitrace\",\"exp\":0", JWT_EXPIRED},
    {"\"aud\":\"vitrace\"", JWT_EXPIRED},
    {"\"aud\":\"vitrace\",\"exp\":null", JWT_MALFORMED},
    {"\"aud\":\"vitrace\",\"exp\":\"1900000001\"", JWT_MALFORMED},
    {"\"aud\":\"vitrace\",\"exp\":-1", JWT_MALFORMED},
    {"\"aud\":\"vitrace\",\"exp\":19e8", JWT_MALFORMED},
    {"\"aud\":\"vitrace\",\"exp\":1900000001.5E3", JWT_MALFORMED},
    {"\"aud\":\"vitrace\",\"exp\":999999999999", JWT_GOOD},
    {"\"aud\":\"vitrace\",\"exp\":1000000000000", JWT_MALFORMED},
    {"\"aud\":\"vitrace\",\"exp\":18446744073709551617000", JWT_MALFORMED},
    {"\"aud\":\"vitrace\",\"exp\":1,\"exp\":1900000001", JWT_MALFORMED},
    {"\"aud\":\"vitrace\",\"exp\":1900000001,\"nbf\":1900000060", JWT_GOOD},
    {"\"aud\":\"vitrace\",\"exp\":1900000099,\"nbf\":1900000061", JWT_NOT_YET},
    {"\"aud\":\"vitrace\",\"exp\":1900000099,\"iat\":1900000061", JWT_NOT_YET},
    {"\"aud\":\"vitrace\",\"exp\":1900000099,\"nbf\":true", JWT_MALFORMED},
    {"\"aud\":[\"other\",\"vitrace\"],\"exp\":1900000001", JWT_GOOD},
    {"\"aud\":[],\"exp\":1900000001", JWT_AUDIENCE},
    {"\"aud\":[\"other\"],\"exp\":1900000001", JWT_AUDIENCE},
    {"\"aud\":[[\"vitrace\"]],\"exp\":1900000001", JWT_MALFORMED},
    {"\"aud\":[\"vitrace\",1],\"exp\":1900000001", JWT_MALFORMED},
    {"\"aud\":{\"vitrace\":1},\"exp\":1900000001", JWT_MALFORMED},
    {"\"exp\":1900000001", JWT_AUDIENCE},
    {"\"aud\":\"vitrace \",\"exp\":1900000001", JWT_AUDIENCE},
    {"\"aud\":\"Vitrace\",\"exp\":1900000001", JWT_AUDIENCE},
    {"\"aud\":\"vitrace,other\",\"exp\":1900000001", JWT_AUDIENCE},
    {"\"aud\":\"\",\"exp\":1900000001", JWT_AUDIENCE},
    {"\"aud\":\"\\u0076itrace\",\"exp\":1900000001", JWT_GOOD},
    {"\"aud\":\"vitrace\\u0000\",\"exp\":1900000001", JWT_AUDIENCE},
    {"\"aud\":\"other\",\"aud\":\"vitrace\",\"exp\":1900000001", JWT_MALFORMED},
    {"\"aud\":\"vitrace\",\"exp\":1900000001,\"iss\":\"https://evil.example\"", JWT_MALFORMED}, /* a second issuer */
    {"\"aud\":\"vitrace\",\"exp\":1900000001,\"roles\":{\"a\":[1,{\"exp\":1}]}", JWT_GOOD},
    {"\"aud\":\"vitrace\",\"exp\":1900000001,\"x\":}", JWT_MALFORMED},
};

static void test_jwt__claims_decide(void **state)
{
    char text[512];
    (void)state;
    for (size_t i = 0; i < sizeof claims / sizeof claims[0]; i++) {
        snprintf(text, sizeof text, "{\"iss\":\"https://login.example\",%s}", claims[i].claims);
        jwt_maker_sign(&makers[JWT_HS256], header_of(JWT_HS256), slice_text(text), token);
        if (jwt_judge(verifiers[JWT_HS256], slice_text(token), NOW) != claims[i].verdict)
            fail_msg("%s", claims[i].claims);
    }
}

static void test_jwt__without_an_end_it_is_refused_whatever_the_time(void **state)
{
    (void)state;
    jwt_maker_sign(&makers[JWT_HS256], header_of(JWT_HS256),
                   slice_text("{\"iss\":\"https://login.example\",\"aud\":\"vitrace\"}"), token);
    assert_int_equal(jwt_judge(verifiers[JWT_HS256], slice_text(token), 0), JWT_EXPIRED);
}

static void test_jwt__claims_are_one_object_and_nothing_behind_it(void **state)
{
    static const char *const behind[] = {"{}", "x", ",", "}", "\xff", "[]"};
    char text[256];
    (void)state;
    for (size_t i = 0; i < sizeof behind / sizeof behind[0]; i++) {
        snprintf(text, sizeof text, "%s%s", good_claims, behind[i]);
        jwt_maker_sign(&makers[JWT_HS256], header_of(JWT_HS256), slice_text(text), token);
        assert_int_equal(jwt_judge(verifiers[JWT_HS256], slice_text(token), NOW), JWT_MALFORMED);
    }
    snprintf(text, sizeof text, " %s\r\n", good_claims);
    jwt_maker_sign(&makers[JWT_HS256], header_of(JWT_HS256), slice_text(text), token);
    assert_int_equal(jwt_judge(verifiers[JWT_HS256], slice_text(token), NOW), JWT_GOOD);
}

/* A signature that begins rightly is none, however it goes on. */
static void test_jwt__a_signature_is_as_long_as_its_kind_and_no_longer(void **state)
{
    uint8_t signature[300];
    (void)state;
    for (unsigned i = 0; i < JWT_ALGORITHM_COUNT; i++)
        for (unsigned more = 1; more <= 33; more++) {
            make_good((enum jwt_algorithm)i);
            char *text = strrchr(token, '.') + 1;
            size_t size = jwt_maker_decode(text, signature);
            memset(signature + size, 0, more);
            jwt_maker_encode(slice_of(signature, size + more), text);
            assert_int_equal(jwt_judge(verifiers[i], slice_text(token), NOW), JWT_SIGNATURE);
            jwt_maker_encode(slice_of(signature, size), text);
            assert_int_equal(jwt_judge(verifiers[i], slice_text(token), NOW), JWT_GOOD);
        }
}

/* One byte short, where that byte stands at the same place of the header, which was decoded before it. */
static void test_jwt__a_signature_is_not_completed_by_what_was_read_before(void **state)
{
    static const char header[] = "{\"alg\":\"HS256\",\"kid\":\"012345678k\"}"; /* its 32nd byte is the k */
    uint8_t signature[64] = {0};
    char text[256];
    (void)state;
    assert_int_equal(header[31], 'k');
    for (unsigned i = 0; signature[31] != 'k'; i++) {
        snprintf(text, sizeof text, "{\"n\":%u,%s", i, good_claims + 1);
        jwt_maker_sign(&makers[JWT_HS256], slice_text(header), slice_text(text), token);
        jwt_maker_decode(strrchr(token, '.') + 1, signature);
    }
    assert_int_equal(jwt_judge(verifiers[JWT_HS256], slice_text(token), NOW), JWT_GOOD);
    jwt_maker_encode(slice_of(signature, 31), strrchr(token, '.') + 1);
    assert_int_equal(jwt_judge(verifiers[JWT_HS256], slice_text(token), NOW), JWT_SIGNATURE);
}

static void test_jwt__the_issuer_is_exact_when_one_is_configured(void **state)
{
    static const char *const wrong[] = {"", "\"iss\":\"https://login.example/\",", "\"iss\":\"login.example\",",
                                        "\"iss\":\"https://login.exampl\",", "\"iss\":\"HTTPS://login.example\","};
    struct jwt_options any = options_of(JWT_HS256, makers[JWT_HS256].key_file);
    char text[256], error[256];
    (void)state;
    any.issuer[0] = '\0';
    struct jwt *lenient = jwt_new(&any, error, sizeof error);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        snprintf(text, sizeof text, "{%s\"aud\":\"vitrace\",\"exp\":1900000001}", wrong[i]);
        jwt_maker_sign(&makers[JWT_HS256], header_of(JWT_HS256), slice_text(text), token);
        assert_int_equal(jwt_judge(verifiers[JWT_HS256], slice_text(token), NOW), JWT_ISSUER);
        assert_int_equal(jwt_judge(lenient, slice_text(token), NOW), JWT_GOOD);
    }
    jwt_free(lenient);
}

/* Its own allocation of exactly that size: a look beyond it is seen. */
static enum jwt_verdict judge_copy(const struct jwt *verifier, const char *text, size_t size)
{
    char *copy = malloc(size + (size == 0));
    memcpy(copy, text, size);
    enum jwt_verdict verdict = jwt_judge(verifier, slice_of(copy, size), NOW);
    free(copy);
    return verdict;
}

static void test_jwt__every_strict_prefix_is_refused(void **state)
{
    (void)state;
    for (unsigned i = 0; i < JWT_ALGORITHM_COUNT; i++) {
        make_good((enum jwt_algorithm)i);
        for (size_t size = 0; size < strlen(token); size++)
            assert_int_not_equal(judge_copy(verifiers[i], token, size), JWT_GOOD);
        assert_int_equal(judge_copy(verifiers[i], token, strlen(token)), JWT_GOOD);
    }
}

static void test_jwt__every_flipped_bit_is_refused(void **state)
{
    (void)state;
    for (unsigned i = 0; i < JWT_ALGORITHM_COUNT; i++) {
        make_good((enum jwt_algorithm)i);
        for (size_t bit = 0; bit < 8 * strlen(token); bit++) {
            token[bit / 8] ^= (char)(1 << bit % 8);
            if (judge_copy(verifiers[i], token, strlen(token)) == JWT_GOOD)
                fail_msg("%s: bit %zu", jwt_algorithm_name((enum jwt_algorithm)i), bit);
            token[bit / 8] ^= (char)(1 << bit % 8);
        }
    }
}

static void test_jwt__other_spellings_of_a_good_token_are_refused(void **state)
{
    static const char *const behind[] = {"=", "==", ".", " ", "A", "\n", "."};
    char text[JWT_MAKER_TOKEN_BYTES + 16];
    (void)state;
    make_good(JWT_HS256);
    for (size_t i = 0; i < sizeof behind / sizeof behind[0]; i++) {
        snprintf(text, sizeof text, "%s%s", token, behind[i]);
        assert_int_not_equal(jwt_judge(verifiers[JWT_HS256], slice_text(text), NOW), JWT_GOOD);
    }
    /* 32 bytes are 43 digits; of the last one two bits are over. Three other digits would decode to the same bytes. */
    char *last = &token[strlen(token) - 1], kept = *last;
    for (const char *digit = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/="; *digit != '\0'; digit++) {
        *last = *digit;
        assert_int_equal(jwt_judge(verifiers[JWT_HS256], slice_text(token), NOW) == JWT_GOOD, *digit == kept);
    }
}

static void test_jwt__a_signature_is_never_left_out(void **state)
{
    static const char *const none[] = {"{\"alg\":\"none\"}", "{\"alg\":\"RS256\"}", "{\"alg\":\"HS256\"}",
                                       "{\"alg\":\"ES256\"}", "{\"alg\":\"EdDSA\"}"};
    (void)state;
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
        for (unsigned by = 0; by < JWT_ALGORITHM_COUNT; by++) {
            jwt_maker_sign_hmac(slice_text("x"), slice_text(none[i]), slice_text(good_claims), token);
            char *dot = strrchr(token, '.');
            dot[1] = '\0';
            assert_int_not_equal(jwt_judge(verifiers[by], slice_text(token), NOW), JWT_GOOD);
            dot[0] = '\0';
            assert_int_not_equal(jwt_judge(verifiers[by], slice_text(token), NOW), JWT_GOOD);
        }
}

/* CVE-2022-21449: r = s = 0 is a signature of everything for a verifier that forgets to look. */
static void test_jwt__an_ecdsa_signature_of_zeros_is_none(void **state)
{
    uint8_t zeros[64] = {0};
    (void)state;
    make_good(JWT_ES256);
    jwt_maker_encode(slice_of(zeros, sizeof zeros), strrchr(token, '.') + 1);
    assert_int_equal(jwt_judge(verifiers[JWT_ES256], slice_text(token), NOW), JWT_SIGNATURE);
    memset(zeros, 0xff, sizeof zeros);
    jwt_maker_encode(slice_of(zeros, sizeof zeros), strrchr(token, '.') + 1);
    assert_int_equal(jwt_judge(verifiers[JWT_ES256], slice_text(token), NOW), JWT_SIGNATURE);
}

static void test_jwt__8_kib_are_read_and_not_one_byte_more(void **state)
{
    static char text[JWT_BYTES_MAX + 512];
    (void)state;
    for (size_t filler = 5900; filler < 6100; filler++) {
        int size = snprintf(text, sizeof text,
                            "{\"iss\":\"https://login.example\",\"aud\":\"vitrace\",\"exp\":1900000600,\"x\":\"");
        memset(text + size, 'x', filler);
        snprintf(text + size + filler, 3, "\"}");
        jwt_maker_sign(&makers[JWT_HS256], header_of(JWT_HS256), slice_text(text), token);
        assert_int_equal(jwt_judge(verifiers[JWT_HS256], slice_text(token), NOW),
                         strlen(token) <= JWT_BYTES_MAX ? JWT_GOOD : JWT_MALFORMED);
    }
}

static void write_key(const char *path, const char *text, size_t size)
{
    FILE *file = fopen(path, "w");
    fwrite(text, 1, size, file);
    fclose(file);
}

static void expect_bad_key(enum jwt_algorithm algorithm, const char *path, const char *expected)
{
    char error[512] = "";
    struct jwt_options options = options_of(algorithm, path);
    struct jwt *jwt = jwt_new(&options, error, sizeof error);
    if (jwt != NULL || strstr(error, expected) == NULL || strstr(error, path) == NULL)
        fail_msg("%s with %s: '%s'", jwt_algorithm_name(algorithm), path, error);
}

static void test_jwt__a_key_file_that_does_not_fit_says_why(void **state)
{
    static char large[20000];
    char path[] = "/tmp/vitrace-jwt.XXXXXX";
    (void)state;
    close(mkstemp(path));
    memset(large, 'k', sizeof large);
    expect_bad_key(JWT_HS256, "/nonexistent/key", "No such file");
    expect_bad_key(JWT_HS256, path, "less than 32 bytes");
    write_key(path, large, 31);
    expect_bad_key(JWT_HS256, path, "less than 32 bytes");
    write_key(path, "0123456789012345678901234567890\r\n", 33);
    expect_bad_key(JWT_HS256, path, "less than 32 bytes");
    write_key(path, large, sizeof large);
    expect_bad_key(JWT_HS256, path, "over 16384 bytes");
    expect_bad_key(JWT_RS256, path, "over 16384 bytes");
    write_key(path, large, 100);
    expect_bad_key(JWT_RS256, path, "no public key in PEM");
    expect_bad_key(JWT_RS256, makers[JWT_ES256].key_file, "no RSA key");
    expect_bad_key(JWT_ES256, makers[JWT_RS256].key_file, "P-256");
    expect_bad_key(JWT_ES256, makers[JWT_EDDSA].key_file, "P-256");
    expect_bad_key(JWT_EDDSA, makers[JWT_ES256].key_file, "Ed25519");
    unlink(path);
}

static void test_jwt__a_short_rsa_key_and_another_curve_are_refused(void **state)
{
    char path[] = "/tmp/vitrace-jwt.XXXXXX";
    (void)state;
    close(mkstemp(path));
    EVP_PKEY *keys[] = {EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024), EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384")};
    static const char *const expected[] = {"less than 2048 bits", "P-256"};
    for (unsigned i = 0; i < 2; i++) {
        FILE *file = fopen(path, "w");
        PEM_write_PUBKEY(file, keys[i]);
        fclose(file);
        expect_bad_key(i == 0 ? JWT_RS256 : JWT_ES256, path, expected[i]);
        EVP_PKEY_free(keys[i]);
    }
    unlink(path);
}

static void test_jwt__an_editors_newline_is_no_part_of_the_secret(void **state)
{
    static const char *const ends[] = {"", "\n", "\r\n"};
    char path[] = "/tmp/vitrace-jwt.XXXXXX", text[128], error[256];
    (void)state;
    close(mkstemp(path));
    make_good(JWT_HS256);
    for (unsigned i = 0; i < 3; i++) {
        int size = snprintf(text, sizeof text, "%s%s", makers[JWT_HS256].secret, ends[i]);
        write_key(path, text, (size_t)size);
        struct jwt_options options = options_of(JWT_HS256, path);
        struct jwt *jwt = jwt_new(&options, error, sizeof error);
        assert_int_equal(jwt_judge(jwt, slice_text(token), NOW), JWT_GOOD);
        jwt_free(jwt);
    }
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_jwt__every_algorithm_takes_its_own_tokens_and_no_others),
        cmocka_unit_test(test_jwt__another_key_of_the_same_kind_opens_nothing),
        cmocka_unit_test(test_jwt__a_public_key_is_no_hmac_secret),
        cmocka_unit_test(test_jwt__nothing_in_the_header_chooses_how_it_is_judged),
        cmocka_unit_test(test_jwt__claims_decide),
        cmocka_unit_test(test_jwt__without_an_end_it_is_refused_whatever_the_time),
        cmocka_unit_test(test_jwt__claims_are_one_object_and_nothing_behind_it),
        cmocka_unit_test(test_jwt__a_signature_is_as_long_as_its_kind_and_no_longer),
        cmocka_unit_test(test_jwt__a_signature_is_not_completed_by_what_was_read_before),
        cmocka_unit_test(test_jwt__the_issuer_is_exact_when_one_is_configured),
        cmocka_unit_test(test_jwt__every_strict_prefix_is_refused),
        cmocka_unit_test(test_jwt__every_flipped_bit_is_refused),
        cmocka_unit_test(test_jwt__other_spellings_of_a_good_token_are_refused),
        cmocka_unit_test(test_jwt__a_signature_is_never_left_out),
        cmocka_unit_test(test_jwt__an_ecdsa_signature_of_zeros_is_none),
        cmocka_unit_test(test_jwt__8_kib_are_read_and_not_one_byte_more),
        cmocka_unit_test(test_jwt__a_key_file_that_does_not_fit_says_why),
        cmocka_unit_test(test_jwt__a_short_rsa_key_and_another_curve_are_refused),
        cmocka_unit_test(test_jwt__an_editors_newline_is_no_part_of_the_secret),
    };
    return cmocka_run_group_tests(tests, start, stop);
}

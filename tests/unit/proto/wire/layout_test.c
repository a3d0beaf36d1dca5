/* layout.c, held to nanopb: bodies of every message, well-formed and not, are taken or refused by both, and read alike. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/wire/beacon_decode.h"
#include "tests/support/layout_pairs.h"

struct body {
    uint8_t bytes[2048];
    size_t size;
};

struct twins {
    uint64_t ours[LAYOUT_STRUCT_MAX / sizeof(uint64_t)], oracle[LAYOUT_STRUCT_MAX / sizeof(uint64_t)];
};

static uint32_t test_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* Both verdicts and, when they took it, both structs are equal. Returns the verdict. */
static bool twins_agree(struct twins *self, const struct layout_pair *pair, struct slice body)
{
    memset(self, 0, sizeof *self);
    bool took = layout_decode(pair->layout, body, self->ours);
    assert_int_equal(took, beacon_decode_message(body, pair->fields, self->oracle));
    if (took)
        assert_memory_equal(self->ours, self->oracle, pair->layout->bytes);
    return took;
}

static void body_add_varint(struct body *self, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        self->bytes[self->size++] = (uint8_t)(value | 0x80);
    self->bytes[self->size++] = (uint8_t)value;
}

static void body_add_bytes(struct body *self, const void *bytes, size_t size)
{
    memcpy(self->bytes + self->size, bytes, size);
    self->size += size;
}

static uint64_t some_number(uint32_t *seed, uint64_t most)
{
    uint64_t wide = (uint64_t)test_random(seed) << 32 | test_random(seed);
    return (wide >> test_random(seed) % 64) & most;
}

/* The size that a text or an id may have, or sometimes one that it may not. */
static void body_add_text(struct body *self, const struct layout_field *field, uint32_t *seed)
{
    static const char *const characters[] = {"a", "/", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xff", "\xed\xa0\x80", "\xc0\x80"};
    uint8_t text[700];
    bool is_id = field->kind == LAYOUT_FIXED_LENGTH_BYTES;
    size_t wanted = is_id ? (test_random(seed) % 8 == 0 ? test_random(seed) % 20 : field->bytes) : test_random(seed) % (field->bytes + 2u);
    unsigned kinds = test_random(seed) % 4 == 0 ? 8 : test_random(seed) % 2 == 0 ? 5 : 2;
    size_t size = 0;
    while (size < wanted) {
        const char *character = characters[test_random(seed) % kinds];
        size_t bytes = is_id ? 1 : strlen(character);
        memcpy(text + size, character, bytes);
        size += bytes;
    }
    body_add_varint(self, size);
    body_add_bytes(self, text, size);
}

static void body_fill(struct body *self, const struct layout *layout, uint32_t *seed, unsigned fields);

static void body_add_child(struct body *self, const struct layout *child, uint32_t *seed)
{
    struct body inner;
    body_fill(&inner, child, seed, test_random(seed) % 4);
    if (inner.size > 600)
        inner.size = 0;
    body_add_varint(self, inner.size);
    body_add_bytes(self, inner.bytes, inner.size);
}

static void body_add_doubles(struct body *self, uint32_t *seed)
{
    size_t size = test_random(seed) % 7 * 8 + (test_random(seed) % 8 == 0);
    body_add_varint(self, size);
    for (size_t i = 0; i < size; i++)
        self->bytes[self->size++] = (uint8_t)test_random(seed);
}

static void body_add_value(struct body *self, const struct layout_field *field, enum walk_type type, uint32_t *seed)
{
    uint64_t bits = some_number(seed, UINT64_MAX);
    switch (type) {
    case WALK_VARINT: /* nanopb takes no bool of more than 32 bits */
        body_add_varint(self, some_number(seed, field->kind == LAYOUT_BOOL ? 7 : test_random(seed) % 16 ? UINT32_MAX : UINT64_MAX));
        return;
    case WALK_FIXED64:
        body_add_bytes(self, &bits, 8);
        return;
    case WALK_FIXED32:
        body_add_bytes(self, &bits, 4);
        return;
    case WALK_BYTES:
        if (field->kind == LAYOUT_MESSAGE)
            body_add_child(self, field->child, seed);
        else if (field->kind == LAYOUT_DOUBLE)
            body_add_doubles(self, seed);
        else
            body_add_text(self, field, seed);
        return;
    }
}

static enum walk_type type_of(const struct layout_field *field, uint32_t *seed)
{
    static const enum walk_type types[] = {WALK_VARINT, WALK_FIXED64, WALK_BYTES, WALK_FIXED32};
    if (test_random(seed) % 64 == 0 || field->kind == LAYOUT_UNKNOWN)
        return types[test_random(seed) % 4];
    if (field->kind == LAYOUT_DOUBLE)
        return field->count_max > 0 && test_random(seed) % 2 ? WALK_BYTES : WALK_FIXED64;
    return field->kind >= LAYOUT_STRING ? WALK_BYTES : WALK_VARINT;
}

/* Known fields in any order, some of them twice; now and then one that is unknown, or of another wire type. */
static void body_fill(struct body *self, const struct layout *layout, uint32_t *seed, unsigned fields)
{
    static const struct layout_field unknown = {.bytes = 40};
    self->size = 0;
    for (unsigned i = 0; i < fields && self->size < 600; i++) {
        uint32_t number = 1 + test_random(seed) % (layout->field_count + (test_random(seed) % 32 == 0 ? 30u : 0u));
        const struct layout_field *field = number < layout->field_count ? &layout->fields[number] : &unknown;
        enum walk_type type = type_of(field, seed);
        body_add_varint(self, (uint64_t)number << 3 | type);
        body_add_value(self, field, type, seed);
    }
}

static void test_layout__reads_any_body_of_any_message_as_nanopb_does(void **state)
{
    (void)state;
    uint32_t seed = 20261123;
    static struct twins twins;
    for (size_t i = 0; i < LAYOUT_PAIRS; i++) {
        unsigned taken = 0, refused = 0;
        for (unsigned run = 0; run < 4000; run++) {
            struct body body;
            body_fill(&body, layout_pairs[i].layout, &seed, run % 24);
            bool took = twins_agree(&twins, &layout_pairs[i], slice_of(body.bytes, body.size));
            taken += took;
            refused += !took;
        }
        assert_true(taken > 200 && refused > 20); /* neither is the exception */
    }
}

static void test_layout__agrees_with_nanopb_on_every_strict_prefix_and_flipped_bit(void **state)
{
    (void)state;
    uint32_t seed = 7;
    static struct twins twins;
    for (size_t i = 0; i < LAYOUT_PAIRS; i++) {
        const struct layout_pair *pair = &layout_pairs[i];
        struct body body;
        do
            body_fill(&body, pair->layout, &seed, 12);
        while (!twins_agree(&twins, pair, slice_of(body.bytes, body.size)));
        for (size_t size = 0; size < body.size; size++)
            twins_agree(&twins, pair, slice_of(body.bytes, size));
        for (size_t bit = 0; bit < 8 * body.size; bit++) {
            body.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            memset(&twins, 0, sizeof twins);
            if (beacon_decode_message(slice_of(body.bytes, body.size), pair->fields, twins.oracle))
                twins_agree(&twins, pair, slice_of(body.bytes, body.size));
            body.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
    }
}

static void test_layout__takes_any_varint_for_a_bool(void **state)
{
    (void)state;
    vitrace_v1_Ledger ledger;
    struct body body = {.size = 0};
    body_add_varint(&body, vitrace_v1_Ledger_final_tag << 3 | WALK_VARINT);
    body_add_varint(&body, UINT64_C(1) << 40);
    assert_true(layout_decode(&layout_of_Ledger, slice_of(body.bytes, body.size), &ledger));
    assert_true(ledger.final);
}

static void test_layout__fills_an_array_to_its_bound_and_refuses_one_more(void **state)
{
    (void)state;
    static const uint8_t loss[] = {vitrace_v1_Ledger_losses_tag << 3 | WALK_BYTES, 0};
    vitrace_v1_Ledger ledger;
    struct body body = {.size = 0};
    for (unsigned i = 0; i < sizeof ledger.losses / sizeof ledger.losses[0]; i++)
        body_add_bytes(&body, loss, sizeof loss);
    assert_true(layout_decode(&layout_of_Ledger, slice_of(body.bytes, body.size), &ledger));
    assert_int_equal(ledger.losses_count, sizeof ledger.losses / sizeof ledger.losses[0]);
    body_add_bytes(&body, loss, sizeof loss);
    assert_false(layout_decode(&layout_of_Ledger, slice_of(body.bytes, body.size), &ledger));
}

static void test_layout__reads_an_empty_body_as_zeros(void **state)
{
    (void)state;
    vitrace_v1_Resource resource, zeros;
    memset(&zeros, 0, sizeof zeros);
    memset(&resource, 0xff, sizeof resource);
    assert_true(layout_decode(&layout_of_Resource, slice_of(NULL, 0), &resource));
    assert_memory_equal(&resource, &zeros, sizeof zeros);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layout__reads_any_body_of_any_message_as_nanopb_does),
        cmocka_unit_test(test_layout__agrees_with_nanopb_on_every_strict_prefix_and_flipped_bit),
        cmocka_unit_test(test_layout__takes_any_varint_for_a_bool),
        cmocka_unit_test(test_layout__fills_an_array_to_its_bound_and_refuses_one_more),
        cmocka_unit_test(test_layout__reads_an_empty_body_as_zeros),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

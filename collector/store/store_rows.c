#include "collector/store/store_rows.h"

static bool store_take(struct slice *rest, void *out, size_t size)
{
    if (rest->size < size)
        return false;
    memcpy(out, rest->data, size);
    *rest = slice_of(rest->data + size, rest->size - size);
    return true;
}

static bool store_take_slice(struct slice *rest, size_t size, struct slice *out)
{
    if (rest->size < size)
        return false;
    *out = slice_of(rest->data, size);
    *rest = slice_of(rest->data + size, rest->size - size);
    return true;
}

bool store_body_init(struct store_body *self, struct slice body)
{
    self->rest = body;
    return store_take(&self->rest, &self->fact, sizeof self->fact);
}

bool store_body_next(struct store_body *self, struct store_request_fact *fact, struct slice *ids,
                     struct store_join_fact *join)
{
    memset(join, 0, sizeof *join);
    return self->rest.size > 0 && store_take(&self->rest, fact, sizeof *fact) &&
           store_take_slice(&self->rest, fact->ids_size, ids) &&
           (!fact->joined || store_take(&self->rest, join, sizeof *join));
}

/* Fixed part of a stored trace part, and of each top in it. */
struct store_part_fact {
    uint64_t position;
    uint32_t span_count;
    uint32_t top_count;
};
struct store_top_fact {
    uint8_t span_id[8];
    uint64_t duration_ns;
    uint16_t name_size, service_size;
    uint32_t waits;
};
static_assert(sizeof(struct store_part_fact) == 16 && sizeof(struct store_top_fact) == 24, "no padding");

static uint8_t *store_give(uint8_t *to, const void *bytes, size_t size)
{
    if (size > 0)
        memcpy(to, bytes, size);
    return to + size;
}

size_t store_part_encode(const struct store_trace_part *part, uint8_t *out, size_t room)
{
    size_t size = sizeof(struct store_part_fact);
    for (uint32_t i = 0; i < part->top_count; i++)
        size += sizeof(struct store_top_fact) + part->top[i].name.size + part->top[i].service.size;
    if (size > room)
        return 0;
    struct store_part_fact fact = {part->position, part->span_count, part->top_count};
    uint8_t *to = store_give(out, &fact, sizeof fact);
    for (uint32_t i = 0; i < part->top_count; i++) {
        const struct store_trace_top *top = &part->top[i];
        struct store_top_fact head = {.duration_ns = top->duration_ns,
                                      .name_size = (uint16_t)top->name.size,
                                      .service_size = (uint16_t)top->service.size,
                                      .waits = top->waits};
        memcpy(head.span_id, top->span_id, sizeof head.span_id);
        to = store_give(to, &head, sizeof head);
        to = store_give(to, top->name.data, top->name.size);
        to = store_give(to, top->service.data, top->service.size);
    }
    return size;
}

bool store_part_decode(struct slice bytes, struct store_trace_part *part)
{
    struct store_part_fact fact;
    if (!store_take(&bytes, &fact, sizeof fact) || fact.top_count > STORE_TRACE_TOPS)
        return false;
    part->position = fact.position;
    part->span_count = fact.span_count;
    part->top_count = fact.top_count;
    for (uint32_t i = 0; i < fact.top_count; i++) {
        struct store_trace_top *top = &part->top[i];
        struct store_top_fact head;
        if (!store_take(&bytes, &head, sizeof head) || !store_take_slice(&bytes, head.name_size, &top->name) ||
            !store_take_slice(&bytes, head.service_size, &top->service))
            return false;
        memcpy(top->span_id, head.span_id, sizeof top->span_id);
        top->duration_ns = head.duration_ns;
        top->waits = head.waits != 0;
    }
    return true;
}

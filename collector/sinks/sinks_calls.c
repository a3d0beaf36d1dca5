/*
 * Calls and their entries within one beacon. They are nearly always in the same one: the entry comes when the body has
 * been read, and a segment is open for seconds. A pair that two beacons tore apart stays two requests here, unless a
 * trace id pairs it; the query sees the whole view and shows it as one.
 */
#include <stdlib.h>

#include "collector/sinks/sinks_internal.h"

struct sinks_match {
    struct call_match_call *call;
    struct call_match_entry *entry;
    struct call_match *result;
    uint32_t *call_request, *entry_request; /* of self->request */
    uint32_t calls, entries;
};

static bool sinks_match_init(struct sinks_match *match, uint32_t count)
{
    *match = (struct sinks_match){.call = calloc(count, sizeof *match->call),
                                  .entry = calloc(count, sizeof *match->entry),
                                  .result = calloc(count, sizeof *match->result),
                                  .call_request = calloc(count, sizeof *match->call_request),
                                  .entry_request = calloc(count, sizeof *match->entry_request)};
    return match->call && match->entry && match->result && match->call_request && match->entry_request;
}

static void sinks_match_release(struct sinks_match *match)
{
    free(match->call);
    free(match->entry);
    free(match->result);
    free(match->call_request);
    free(match->entry_request);
}

static void sinks_match_add(struct sinks_match *match, const struct sinks_request *request, uint32_t at)
{
    if (request->row.kind == STORE_CALL && !request->merged) {
        struct call_match_call *call = &match->call[match->calls];
        *call = request->facts.call;
        call->id = request->id;
        call->id_count = request->id_count;
        match->call_request[match->calls++] = at;
    } else if (request->row.kind == STORE_RESOURCE && !request->has_call) {
        struct call_match_entry *entry = &match->entry[match->entries];
        *entry = request->facts.entry;
        entry->id = request->id;
        entry->id_count = request->id_count;
        match->entry_request[match->entries++] = at;
    }
}

static void sinks_match_use(struct sinks *self, const struct store_view *view, const struct sinks_match *match)
{
    for (uint32_t i = 0; i < match->calls; i++) {
        const struct call_match *result = &match->result[i];
        struct sinks_request *call = &self->request[match->call_request[i]];
        struct sinks_request *entry =
            result->entry != CALL_MATCH_NOBODY ? &self->request[match->entry_request[result->entry]] : NULL;
        if (call_match_is_sure(result)) {
            sinks_merge_call(self, view, call, entry);
            continue;
        }
        bool ambiguous = result->kind == CALL_MATCH_AMBIGUOUS;
        call->doubt = ambiguous ? JOIN_REQUEST_AMBIGUOUS : JOIN_REQUEST_NO_ENTRY;
        if (ambiguous && entry != NULL)
            entry->doubt = JOIN_REQUEST_AMBIGUOUS;
    }
}

static bool sinks_has_open_call(const struct sinks *self)
{
    for (uint32_t i = 0; i < self->request_count; i++)
        if (self->request[i].row.kind == STORE_CALL && !self->request[i].merged)
            return true;
    return false;
}

bool sinks_match_calls(struct sinks *self, const struct store_view *view)
{
    struct sinks_match match;
    if (!sinks_has_open_call(self)) /* nearly every beacon */
        return true;
    bool good = sinks_match_init(&match, self->request_count);
    for (uint32_t i = 0; good && i < self->request_count; i++)
        sinks_match_add(&match, &self->request[i], i);
    good = good && call_match(match.call, match.calls, match.entry, match.entries, match.result);
    if (good)
        sinks_match_use(self, view, &match);
    sinks_match_release(&match);
    return good;
}

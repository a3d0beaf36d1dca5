#include "collector/store/store_internal.h"

#define STORE_PPM 1000000u

uint32_t store_weight(uint32_t sample_rate_ppm, uint32_t recorder_trigger)
{
    if (recorder_trigger != 0)
        return 0;
    if (sample_rate_ppm == 0 || sample_rate_ppm >= STORE_PPM)
        return 1;
    uint32_t weight = (STORE_PPM + sample_rate_ppm / 2) / sample_rate_ppm;
    return weight < STORE_WEIGHT_MAX ? weight : STORE_WEIGHT_MAX;
}

static enum store_status store_add_view(struct store *self, const struct store_beacon *beacon,
                                        struct store_view_state **out)
{
    int64_t app = store_app(self, beacon->app, beacon->received_us);
    if (app == 0)
        return self->sql.failed ? STORE_ERROR : STORE_REFUSED;
    struct store_view_state *view = store_states_add_view(self, beacon);
    if (!view)
        return STORE_ERROR;
    view->app = app;
    view->route = store_route(self, app, beacon->route);
    store_touch_app(self, app, beacon->received_us, 1);
    *out = view;
    return self->sql.failed ? STORE_ERROR : STORE_OK;
}

/* What the caller sees is from before this beacon. */
static enum store_status store_enter_view(struct store *self, const struct store_beacon *beacon,
                                          struct store_view *view, struct store_view_state **out)
{
    enum store_status status = STORE_OK;
    store_states_trim(self);
    self->runs.position = beacon->position + 1;
    struct store_view_state *state = store_states_find_view(self, beacon->view_id);
    if (!state)
        status = self->sql.failed ? STORE_ERROR : store_add_view(self, beacon, &state);
    if (status != STORE_OK)
        return status;
    *view = (struct store_view){.id = state->id,
                                .position = beacon->position,
                                .app = state->app,
                                .route = state->route,
                                .hour = state->facts.hour,
                                .newest_seq = state->facts.newest_seq,
                                .crashed = state->facts.crashed != 0,
                                .final = state->facts.final != 0,
                                .weight = store_weight(state->facts.sample_rate_ppm, state->facts.recorder_trigger)};
    *out = state;
    return STORE_OK;
}

bool store_count_duplicates(struct store *self, const uint8_t view_id[16], uint32_t count)
{
    struct store_view_state *view = store_states_find_view(self, view_id);
    if (!view)
        return false;
    view->facts.duplicates += count;
    view->dirty = true;
    return true;
}

/* A view that this batch added has only the batch's own beacons. */
static bool store_has_beacon(struct store *self, const struct store_view_state *view, uint32_t seq)
{
    struct store_entry low = store_beacon_key(view->id, seq), high = store_key_end(&low), entry;
    struct store_find find;
    store_runs_find(&self->runs, STORE_KIND_BEACON, &low, &high, view->stored, &find);
    return store_find_next(&find, &entry);
}

static void store_count_beacon(struct store_view_state *view, const struct store_beacon *beacon)
{
    struct store_view_facts *facts = &view->facts;
    facts->beacons++;
    facts->errors += beacon->errors;
    facts->segments = beacon->segments > facts->segments ? beacon->segments : facts->segments;
    facts->dropped = beacon->dropped > facts->dropped ? beacon->dropped : facts->dropped;
}

/* The page may set its route after the first beacon: values counted so far move along. */
static void store_set_header(struct store *self, struct store_view_state *view, const struct store_beacon *beacon)
{
    struct store_view_facts *facts = &view->facts;
    int64_t route = store_route(self, view->app, beacon->route);
    if (route != view->route)
        store_move_vitals(self, view, route);
    view->route = route;
    if (beacon->seq != STORE_SEQ_SNAPSHOT)
        facts->newest_seq = beacon->seq;
    facts->started_us = beacon->started_us;
    facts->navigation_type = beacon->navigation_type;
    facts->transport = beacon->transport;
    if (!slice_equal(view->url, beacon->url) && store_states_copy(self, beacon->url, &view->url.data))
        view->url.size = beacon->url.size;
}

static void store_set_ledger(struct store_view_state *view, const struct store_beacon *beacon)
{
    if (view->facts.ledger_seq >= (int64_t)beacon->seq)
        return;
    view->facts.ledger_seq = beacon->seq;
    view->facts.ledger = beacon->ledger;
    view->facts.final = beacon->final;
}

static void store_reach(struct store_view_state *view, uint64_t position)
{
    if (position > view->facts.newest_position)
        view->facts.newest_position = position;
    view->dirty = true;
}

static void store_clear_snapshot(struct store *self, struct store_view_state *view)
{
    store_uncover_vitals(self, view);
    view->facts.snapshot_position = STORE_NOWHERE;
    view->facts.crashed = 0;
}

/* The page's own account is cumulative: the snapshot's is the newer one, and a later beacon's newer still. */
enum store_status store_put_snapshot(struct store *self, const struct store_beacon *beacon, struct store_view *out)
{
    struct store_view_state *view;
    enum store_status status = store_enter_view(self, beacon, out, &view);
    if (status != STORE_OK)
        return status;
    if (out->final)
        return STORE_SUPERSEDED;
    view->facts.snapshot_position = beacon->position;
    view->facts.crashed = 1;
    store_reach(view, beacon->position);
    if (view->facts.newest_seq < 0)
        store_set_header(self, view, beacon);
    if (beacon->has_ledger)
        view->facts.ledger = beacon->ledger;
    out->route = view->route;
    store_touch_app(self, view->app, beacon->received_us, 0);
    return self->sql.failed ? STORE_ERROR : STORE_OK;
}

enum store_status store_put_beacon(struct store *self, const struct store_beacon *beacon, struct store_view *out)
{
    struct store_view_state *view;
    enum store_status status = store_enter_view(self, beacon, out, &view);
    if (status != STORE_OK)
        return status;
    if (store_has_beacon(self, view, beacon->seq)) {
        view->facts.duplicates++;
        view->dirty = true;
        return STORE_DUPLICATE;
    }
    if (!store_states_add_beacon(self, view, beacon->seq, beacon->position))
        return STORE_ERROR;
    store_count_beacon(view, beacon);
    store_reach(view, beacon->position);
    if (view->facts.crashed)
        store_clear_snapshot(self, view);
    if ((int64_t)beacon->seq > view->facts.newest_seq)
        store_set_header(self, view, beacon);
    if (beacon->has_ledger)
        store_set_ledger(view, beacon);
    out->route = view->route;
    store_touch_app(self, view->app, beacon->received_us, 0);
    return self->sql.failed ? STORE_ERROR : STORE_OK;
}

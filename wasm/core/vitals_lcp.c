/*
 * LCP: the last candidate that was painted before the page was first hidden, until input or hiding ends the search.
 *
 * The four parts need the resource that was painted. Its entry may come before or after the candidate's, so the match
 * is made at both moments: in the rolling buffer when a candidate comes, and against each resource that comes later.
 * "Latest match" is web-vitals' rule; a request that started after the paint cannot have been painted.
 */
#include "wasm/core/vitals_internal.h"

static double resource_request_start(const struct vitals_resource *resource)
{
    return number_or(resource->request_start, resource->start_time);
}

static bool lcp_is_painted(const struct vitals_paint *paint, const struct vitals_resource *resource)
{
    return paint->url_hash != 0 && resource->name_hash == paint->url_hash &&
           resource_request_start(resource) <= paint->start_time;
}

static void lcp_find_resource(struct vitals_lcp *self)
{
    self->has_resource = false;
    for (uint32_t age = 1; age <= self->resource_count && !self->has_resource; age++) {
        uint32_t slot = (self->resource_next + LCP_RESOURCES_MAX - age) % LCP_RESOURCES_MAX;
        if (lcp_is_painted(&self->paint, &self->resources[slot])) {
            self->resource = self->resources[slot];
            self->has_resource = true;
        }
    }
}

struct lcp_base {
    double start, response_start;
    bool is_known; /* false: nothing to split the value by */
};

static struct lcp_base lcp_base_of(const struct vitals *self)
{
    const struct vitals_navigation *navigation = vitals_sane_navigation(self);
    if (self->page.view == VITALS_VIEW_SOFT)
        return (struct lcp_base){self->page.view_start, 0, true};
    if (navigation == NULL)
        return (struct lcp_base){0, 0, false};
    return (struct lcp_base){navigation->activation_start, navigation->response_start, true};
}

/* LCP = ttfb + load delay + load duration + render delay. */
static void lcp_split(const struct vitals_lcp *self, struct lcp_base base, struct vital *vital)
{
    vital->part_count = 4;
    vital->parts[3] = vital->value;
    if (!base.is_known)
        return;
    double first_byte = number_max(0, base.response_start - base.start);
    double request_start =
        number_max(first_byte, self->has_resource ? resource_request_start(&self->resource) - base.start : 0);
    double response_end = number_max(request_start, self->has_resource ? self->resource.response_end - base.start : 0);
    response_end = number_min(vital->value, response_end); /* a video keeps loading after it was painted */
    vital->parts[0] = first_byte;
    vital->parts[1] = request_start - first_byte;
    vital->parts[2] = response_end - request_start;
    vital->parts[3] = vital->value - response_end;
}

void vitals_lcp_refresh(struct vitals *self)
{
    const struct vitals_lcp *lcp = &self->lcp;
    if (!lcp->has_paint || lcp->is_held_back)
        return;
    struct lcp_base base = lcp_base_of(self);
    bool is_soft = self->page.view == VITALS_VIEW_SOFT;
    struct vital vital = {.value = is_soft ? lcp->soft_value : number_max(lcp->paint.start_time - base.start, 0),
                          .final = lcp->closed,
                          .target = lcp->paint.target,
                          .url = lcp->paint.url};
    lcp_split(lcp, base, &vital);
    vitals_publish(self, VITAL_LCP, &vital);
}

static void lcp_accept(struct vitals *self, const struct vitals_paint *paint)
{
    struct vitals_lcp *lcp = &self->lcp;
    lcp->paint = *paint;
    lcp->has_paint = true;
    lcp->is_held_back = self->page.prerendering;
    lcp_find_resource(lcp);
    vitals_lcp_refresh(self);
}

void vitals_lcp_take_paint(struct vitals *self, const struct vitals_paint *paint)
{
    struct vitals_lcp *lcp = &self->lcp;
    /* web-vitals looks at the last entry of a batch only, and at nothing when that one does not count. */
    bool is_candidate = paint->last_of_batch || self->page.supported & VITALS_SOFT_NAVIGATIONS;
    if (!is_candidate || lcp->closed || self->page.view != VITALS_VIEW_LOAD)
        return;
    if (vitals_was_visible(self, paint->start_time))
        lcp_accept(self, paint);
}

/* The interaction's id tells the paints of the soft navigation from those of other interactions before and after it. */
void vitals_lcp_take_interaction_paint(struct vitals *self, const struct vitals_interaction_paint *paint)
{
    bool is_ours = self->page.view == VITALS_VIEW_SOFT && paint->interaction_id != 0 &&
                   paint->interaction_id == self->page.interaction_id;
    if (!is_ours || self->lcp.closed || !vitals_was_visible(self, paint->render_time))
        return;
    self->lcp.soft_value = number_max(paint->render_time - paint->interaction_start, 0);
    lcp_accept(self, &paint->paint);
}

void vitals_lcp_activate(struct vitals *self)
{
    struct vitals_lcp *lcp = &self->lcp;
    if (!lcp->is_held_back)
        return;
    lcp->is_held_back = false;
    lcp->has_paint = vitals_was_visible(self, lcp->paint.start_time);
    vitals_lcp_refresh(self);
}

void vitals_lcp_take_resource(struct vitals *self, const struct vitals_resource *resource)
{
    struct vitals_lcp *lcp = &self->lcp;
    lcp->resources[lcp->resource_next] = *resource;
    lcp->resource_next = (lcp->resource_next + 1) % LCP_RESOURCES_MAX;
    if (lcp->resource_count < LCP_RESOURCES_MAX)
        lcp->resource_count++;
    if (lcp->has_paint && !lcp->closed && lcp_is_painted(&lcp->paint, resource)) {
        lcp->resource = *resource;
        lcp->has_resource = true;
        vitals_lcp_refresh(self);
    }
}

void vitals_lcp_close(struct vitals *self)
{
    self->lcp.closing = false;
    self->lcp.closed = true;
    vitals_lcp_refresh(self);
}

void vitals_lcp_restart(struct vitals *self)
{
    struct vitals_lcp *lcp = &self->lcp;
    lcp->has_paint = lcp->has_resource = lcp->is_held_back = false;
    lcp->closing = lcp->closed = false;
}

void vitals_lcp_restore(struct vitals *self, double value)
{
    self->lcp.closed = true;
    vitals_publish(self, VITAL_LCP,
                   &(struct vital){.value = value, .final = true, .parts = {0, 0, 0, value}, .part_count = 4});
}

/* FCP and TTFB: both come from the load itself, and both have one value per view. */
#include "wasm/core/vitals_internal.h"

/* A view that did not load anything has no first byte to wait for. */
static double load_first_byte(const struct vitals *self)
{
    const struct vitals_navigation *navigation = vitals_sane_navigation(self);
    if (navigation == NULL || self->page.view != VITALS_VIEW_LOAD)
        return 0;
    return number_max(0, navigation->response_start - navigation->activation_start);
}

static double load_fcp_value(const struct vitals *self)
{
    double start_time = self->load.fcp_start;
    switch (self->page.view) {
    case VITALS_VIEW_LOAD:
        return number_max(start_time - vitals_activation_start(self), 0);
    case VITALS_VIEW_SOFT:
        return number_max(start_time - self->page.view_start, 0);
    case VITALS_VIEW_BFCACHE:
    case VITALS_VIEW_ROUTE:
        break;
    }
    return start_time - self->page.view_start;
}

static enum vital_load_state load_fcp_state(const struct vitals *self)
{
    if (self->page.view == VITALS_VIEW_SOFT)
        return VITAL_COMPLETE; /* nobody navigates softly within a document that does not answer yet */
    double time = self->page.view == VITALS_VIEW_LOAD ? self->load.fcp_start : self->page.view_start;
    return vitals_load_state(self, time, self->load.fcp_after_load);
}

static void load_refresh_fcp(struct vitals *self)
{
    if (!self->load.fcp_counts)
        return;
    double value = load_fcp_value(self);
    double first_byte = load_first_byte(self);
    vitals_publish(
        self, VITAL_FCP,
        &(struct vital){.value = value, .final = true, .load_state = load_fcp_state(self),
                       .parts = {first_byte, value - first_byte}, .part_count = 2});
}

void vitals_load_take_paint(struct vitals *self, double start_time)
{
    struct vitals_load *load = &self->load;
    /* The load's own entry, delivered after the restore. */
    if (self->page.view == VITALS_VIEW_BFCACHE && start_time < self->page.view_start)
        return;
    if (self->page.view == VITALS_VIEW_SOFT)
        return;
    bool is_repeated = load->fcp_seen && start_time != load->fcp_start;
    if (load->fcp_counts || is_repeated)
        return;
    load->fcp_seen = true;
    load->fcp_start = start_time;
    load->fcp_after_load = self->page.loaded;
    if (self->page.prerendering)
        return; /* taken again when the page is activated */
    if (self->page.view == VITALS_VIEW_LOAD && !vitals_was_visible(self, start_time))
        return;
    load->fcp_counts = true;
    load_refresh_fcp(self);
    if (self->page.view == VITALS_VIEW_BFCACHE)
        vitals_lcp_restore(self, load_fcp_value(self));
    if (vitals_is_supported(self, VITAL_FCP)) {
        load->fcp_reported = true;
        vitals_cls_start(self);
    }
}

/* CLS waits for a paint of the page itself. */
void vitals_load_take_soft_navigation(struct vitals *self, const struct vitals_soft_navigation *navigation)
{
    if (self->load.fcp_counts)
        return;
    self->load.fcp_start = number_or(navigation->presentation_time, navigation->paint_time);
    self->load.fcp_counts = true;
    load_refresh_fcp(self);
}

static void load_publish_ttfb(struct vitals *self, const struct vitals_navigation *navigation)
{
    double activation_start = navigation->activation_start;
    double value = number_max(navigation->response_start - activation_start, 0);
    /* From workerStart, so that a service worker's start-up counts as cache and not as waiting. */
    double wait_end = number_max(number_or(navigation->worker_start, navigation->fetch_start) - activation_start, 0);
    double dns_start = number_max(navigation->domain_lookup_start - activation_start, 0);
    double connect_start = number_max(navigation->connect_start - activation_start, 0);
    double connect_end = number_max(navigation->connect_end - activation_start, 0);
    vitals_publish(self, VITAL_TTFB,
                   &(struct vital){.value = value,
                                   .final = true,
                                   .parts = {wait_end, dns_start - wait_end, connect_start - dns_start,
                                             connect_end - connect_start, value - connect_end},
                                   .part_count = 5});
}

/* A view that needed no request. */
static void load_publish_no_ttfb(struct vitals *self)
{
    vitals_publish(self, VITAL_TTFB, &(struct vital){.final = true, .part_count = 5});
}

static void load_take_ttfb(struct vitals *self)
{
    const struct vitals_navigation *navigation = vitals_sane_navigation(self);
    if (self->page.prerendering || navigation == NULL)
        return;
    if (self->page.view == VITALS_VIEW_LOAD)
        load_publish_ttfb(self, navigation);
    else if (self->page.view == VITALS_VIEW_SOFT)
        load_publish_no_ttfb(self); /* the load ended after the soft navigation */
    else
        return;
    self->load.ttfb_reported = true;
}

void vitals_load_refresh(struct vitals *self)
{
    load_refresh_fcp(self);
    if (self->page.loaded)
        load_take_ttfb(self);
}

void vitals_load_leave(struct vitals *self)
{
    load_take_ttfb(self);
}

void vitals_load_restart(struct vitals *self)
{
    self->load.fcp_seen = false;
    self->load.fcp_counts = false;
    /* 0, but only where the load itself could be measured. */
    if (self->load.ttfb_reported)
        load_publish_no_ttfb(self);
}

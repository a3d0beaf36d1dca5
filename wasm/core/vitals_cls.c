/*
 * CLS: the worst session window. A window ends when a shift comes 1 s or more after the last one, or 5 s or more after
 * the first.
 *
 *      |shift ..<1 s.. shift ..<1 s.. shift|    >= 1 s    |shift ...
 *      |<------------- < 5 s ------------->|
 *
 * Shifts count from the start of the page, but CLS has a value only once FCP was reported (as in CrUX).
 *
 * One difference from web-vitals is meant: it compares the window with the worst only after a whole observer batch, so
 * that a large window is lost when a small one follows in the same batch. Here, as in the definition, none is lost.
 */
#include "wasm/core/vitals_internal.h"

void vitals_cls_refresh(struct vitals *self)
{
    const struct cls_window *worst = &self->cls.worst;
    if (!self->cls.started)
        return;
    struct vital vital = {.value = worst->sum, .target = worst->largest_target, .time = worst->largest_time};
    if (worst->sum > 0)
        vital.load_state = vitals_load_state(self, worst->largest_time, self->page.loaded);
    vitals_publish(self, VITAL_CLS, &vital);
}

void vitals_cls_start(struct vitals *self)
{
    self->cls.started = true;
    vitals_cls_refresh(self);
}

/* A window that sums to 0 is no window: the next shift starts one. */
static bool cls_continues(const struct cls_window *window, double time)
{
    return window->sum != 0 && time - window->last_time < 1000 && time - window->first_time < 5000;
}

static void cls_add(struct cls_window *window, const struct vitals_shift *shift)
{
    window->sum += shift->value;
    window->last_time = shift->start_time;
    if (window->largest_value > shift->value)
        return; /* of equal shifts the later one is blamed */
    window->largest_value = shift->value;
    window->largest_time = shift->start_time;
    window->largest_target = shift->target;
}

void vitals_cls_take_shift(struct vitals *self, const struct vitals_shift *shift)
{
    struct vitals_cls *cls = &self->cls;
    if (shift->had_recent_input)
        return;
    if (cls_continues(&cls->current, shift->start_time))
        cls_add(&cls->current, shift);
    else
        cls->current = (struct cls_window){shift->start_time, shift->start_time, shift->value,
                                           shift->value,      shift->start_time, shift->target};
    if (cls->current.sum > cls->worst.sum) {
        cls->worst = cls->current;
        vitals_cls_refresh(self);
    }
}

void vitals_cls_restart(struct vitals *self)
{
    self->cls.current = self->cls.worst = (struct cls_window){0};
    self->cls.started = self->load.fcp_reported;
    vitals_cls_refresh(self);
}

#include "wasm/core/budget.h"

#define MS_PER_MINUTE 60000.0
#define FALL          0.75

#define BIT(kind) (1u << INBOX_##kind)

#define RESOURCES BIT(RESOURCE)
#define FRAMES    (BIT(LONG_FRAME) | BIT(LONG_TASK) | BIT(USER_TIMING))
#define REPORTS                                                                                                        \
    (BIT(CALL) | BIT(ERROR) | BIT(CUSTOM_EVENT) | BIT(CUSTOM_METRIC) | BIT(ELEMENT) | BIT(NOT_RESTORED) |              \
     BIT(MEMORY_MEASUREMENT) | BIT(CLICK_PATTERN))

/* A shift counts modulo 32, here as in JS: kind 32 has bit 0, which no other kind has. */
/* ROUTE and SESSION share the bits of 0 and START, which are not shed before everything is. */
_Static_assert(INBOX_KIND_COUNT <= 34, "a bit for each kind that may be shed");

static double larger(double a, double b)
{
    return b > a ? b : a; /* a NaN never wins */
}

static double share_used(const struct budget *self, const struct ledger *ledger, double now_ms)
{
    double minutes = larger(1, now_ms / MS_PER_MINUTE);
    double used = larger(0, self->main_thread_us / 1000 / minutes * self->share_of[BUDGET_MS_PER_MINUTE]);
    if (ledger->entries_seen >= BUDGET_ENTRIES_MIN)
        used = larger(used, ledger->main_thread_us / ledger->entries_seen * self->share_of[BUDGET_US_PER_ENTRY]);
    return larger(used, (double)ledger->bytes_encoded * self->share_of[BUDGET_BYTES]);
}

static enum budget_level level_of(double used)
{
    return (enum budget_level)((used >= 1) + (used >= 1.5) + (used >= 2) + (used >= 3));
}

void budget_evaluate(struct budget *self, const struct ledger *ledger, double now_ms)
{
    double used = share_used(self, ledger, now_ms);
    enum budget_level rises_to = level_of(used), falls_to = level_of(used / FALL);
    if (self->level == BUDGET_OFF)
        return;
    if (rises_to > self->level)
        self->level = rises_to;
    else if (falls_to < self->level)
        self->level = falls_to;
}

uint32_t budget_sheds(const struct budget *self)
{
    static const uint32_t sheds[] = {0, RESOURCES, RESOURCES | FRAMES, RESOURCES | FRAMES | REPORTS, UINT32_MAX};
    return sheds[self->level];
}

bool budget_refuses(const struct budget *self, unsigned kind)
{
    return self->level >= BUDGET_VITALS || (budget_sheds(self) >> (kind & 31) & 1) != 0;
}

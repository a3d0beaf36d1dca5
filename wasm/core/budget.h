/*
 * The overhead contract: what the SDK may cost, and what it sheds when it costs more. Three shares are used up, and the
 * largest decides:
 *
 *   time     main-thread time of the document / (ms a minute x minutes since its time origin, at least one)
 *   entries  mean time an entry of this view / limit, from BUDGET_ENTRIES_MIN entries on
 *   bytes    encoded bytes of this view / limit
 *
 *   share  0 ------- 1 ------------ 1.5 ------------- 2 ----------- 3 ----
 *   level      0           1                2               3         4
 *             all    no resources   no frames, tasks   vitals only   off
 *                                        or marks
 *
 * A level goes down again when the share falls under three quarters of where that level begins: time passes, entries
 * become cheap, a new view begins. The gap keeps it from flapping. Off is for good: nobody is listening any more.
 */
#ifndef VITRACE_BUDGET_H
#define VITRACE_BUDGET_H

#include "wasm/abi/inbox.h"
#include "wasm/core/ledger.h"

/* Before, the steps of the page's clock (0.1 to 1 ms) and the start of the SDK weigh too much. */
#define BUDGET_ENTRIES_MIN 200u

enum budget_level { BUDGET_ALL, BUDGET_NO_RESOURCES, BUDGET_NO_FRAMES, BUDGET_VITALS, BUDGET_OFF };

enum budget_limit { BUDGET_MS_PER_MINUTE, BUDGET_US_PER_ENTRY, BUDGET_BYTES, BUDGET_LIMITS };

/* All zeros = no limits. */
struct budget {
    double share_of[BUDGET_LIMITS]; /* 1 / limit: the share that one of its units uses; 0 or NaN = no limit */
    double main_thread_us;          /* of the document */
    enum budget_level level;
};

/* `now_ms`: since the time origin. */
void budget_evaluate(struct budget *self, const struct ledger *ledger, double now_ms);
/* Bit n: records of kind n need not be brought. Kinds that values of vitals come from are not among them before OFF. */
uint32_t budget_sheds(const struct budget *self);
/* An entry of this kind is not written. The vitals are still told of it, unless the level is OFF. */
bool budget_refuses(const struct budget *self, unsigned kind);

#endif

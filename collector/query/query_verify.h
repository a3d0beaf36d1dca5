/*
 * Vitals derived again: the view's stored entries go through the code that ran in the page (wasm/core/vitals.h), and
 * what the page reported is compared.
 *
 *   equal    the entries say the same
 *   differs  they do not, and nothing is missing; or the value contradicts its own parts or rating
 *   unknown  entries that it was made of are not here: shed, sampled, lost, cut, or never sent
 *
 * Entries are stored in whole microseconds, vitals as the page's doubles: a microsecond of rounding is allowed for each
 * time that a value is the difference of. CLS is a sum of stored doubles and has to be the same double; only which
 * shifts a window holds hangs on times, and a limit of a window that is met to the microsecond may have been met either
 * way.
 *
 * What is not stored cannot be asked. LCP is compared with every candidate of the view: which was the last before the
 * person's first input is the page's word. INP has to be the duration of a stored interaction, to the microsecond: how
 * many were too short for an entry, and so which of the longest counts, is the page's word, too. Entries tell when they
 * were painted; whether the page was visible before it could say so is not among them.
 */
#ifndef VITRACE_QUERY_VERIFY_H
#define VITRACE_QUERY_VERIFY_H

#include "collector/query/query_view_internal.h"

#define QUERY_VERIFY_METRICS (vitrace_v1_Metric_METRIC_TTFB + 1) /* by number; 0 is no metric */

enum query_verified { QUERY_VERIFIED_UNKNOWN = 0, QUERY_VERIFIED_EQUAL, QUERY_VERIFIED_DIFFERS };

const char *query_verified_name(enum query_verified verified);

struct query_verdict {
    enum query_verified verified;
    bool has_derived;
    double derived; /* of LCP the last candidate, of INP the longest interaction */
};

/* `reported`: the newest of each metric; verdicts are of those that were measured. false = out of memory. */
bool query_verify(const struct query_view_data *view, const vitrace_v1_Vital reported[QUERY_VERIFY_METRICS],
                  struct query_verdict verdict[QUERY_VERIFY_METRICS]);

#endif

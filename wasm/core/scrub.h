/*
 * What may leave the page of a URL: scheme, host and path. User information, query and fragment never do, and a URL
 * that is not hierarchical (data:, blob:, javascript:, mailto:) is reduced to its scheme.
 */
#ifndef VITRACE_SCRUB_H
#define VITRACE_SCRUB_H

#include "proto/wire/limits.h"
#include "proto/wire/slice.h"

#define SCRUB_URL_BYTES_MAX 512u

/* Room for a result that is not a prefix of its source. */
struct scrub {
    uint8_t text[BEACON_STRING_BYTES_MAX];
};

/* `url` is valid UTF-8. The result borrows from `url` or from `self`, and is cut between characters. */
struct slice scrub_url(struct scrub *self, struct slice url);
/* scheme://host:port only; empty when the URL has no authority. */
struct slice scrub_origin(struct scrub *self, struct slice url);
/* Names that may be a URL (a script's invoker, an error's source): scrubbed when they have a scheme and authority. */
struct slice scrub_name(struct scrub *self, struct slice name);

/*
 * The number n of the fragment `#vt-n` with which the SDK tells equal calls apart; 0 = there is none. Only its own form
 * counts: digits without a leading zero, at most nine.
 */
uint32_t scrub_call_tag(struct slice url);

/*
 * Free text that may quote URLs (an error's message and stack): each scheme://... in it loses its user information,
 * query and fragment, up to the next blank or bracket; a position behind it (:12:34) stays. Cut to the size of `self`.
 */
struct slice scrub_text(struct scrub *self, struct slice text);

#endif

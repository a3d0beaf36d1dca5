/*
 * What may leave the page of a URL: scheme, host and path, and of the query what the application allows by key. User
 * information and fragment never do, and a URL that is not hierarchical (data:, blob:, javascript:, mailto:) is reduced
 * to its scheme. Of path, values and free texts, what looks personal or secret is replaced (redactor.h).
 */
#ifndef VITRACE_SCRUB_H
#define VITRACE_SCRUB_H

#include "proto/wire/limits.h"
#include "proto/wire/slice.h"

#define SCRUB_URL_BYTES_MAX 512u

/* A dozen keys of 20 bytes. */
#define SCRUB_QUERY_KEYS_BYTES_MAX 256u

/* Room for a result that is not a prefix of its source. All zeros = no key is allowed. */
struct scrub {
    uint32_t query_keys_size;
    uint8_t query_keys[SCRUB_QUERY_KEYS_BYTES_MAX];
    uint8_t text[BEACON_STRING_BYTES_MAX];
};

/* Allowed keys of queries, separated by blanks. Copied; keys that do not fit whole are not allowed. */
void scrub_set_query_keys(struct scrub *self, struct slice keys);

/* `url` is valid UTF-8. The result borrows from `url` or from `self`, and is cut between characters. */
struct slice scrub_url(struct scrub *self, struct slice url);
/* scheme://host:port only; empty when the URL has no authority. */
struct slice scrub_origin(struct scrub *self, struct slice url);
/* A path alone, as routes are. */
struct slice scrub_path(struct scrub *self, struct slice path);
/* Names that may be a URL (a script's invoker, an error's source): scrubbed when they have a scheme and authority. */
struct slice scrub_name(struct scrub *self, struct slice name);

/*
 * The number n of the fragment `#vt-n` with which the SDK tells equal calls apart, of at most nine digits; 0 = there is
 * none.
 */
uint32_t scrub_call_tag(struct slice url);

/*
 * Free text that may quote URLs (an error's message and stack): each scheme://... in it loses its user information,
 * query and fragment, up to the next blank or bracket; a position behind it (:12:34) stays. Cut to the size of `text`.
 */
struct slice scrub_text(struct scrub *self, struct slice text);

#endif

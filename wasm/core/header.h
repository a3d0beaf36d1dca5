/*
 * The header of the next segment: who is speaking, and about which view. Most of it does not change between segments,
 * so it is kept as the fields that will be written, in parts:
 *
 *   | app | view id, session id, seq, clocks | origin | page: url, route; referrer; type and start of the view | device |
 */
#ifndef VITRACE_HEADER_H
#define VITRACE_HEADER_H

#include "proto/wire/ids.h"
#include "proto/wire/writer.h"
#include "vitrace/v1/beacon.pb.h"
#include "wasm/core/inbox_reader.h"
#include "wasm/core/scrub.h"

struct core;

struct header_part {
    uint32_t size;
    uint8_t bytes[vitrace_v1_Page_size + WRITER_SLACK_BYTES]; /* the page is the largest */
};

struct header {
    uint8_t view_id[VIEW_ID_BYTES];
    uint8_t session_id[SESSION_ID_BYTES];
    uint32_t seq;
    uint32_t navigation_type; /* of the view: NavigationType */
    uint64_t view_start_us;
    uint32_t sample_rate_ppm; /* 0 = all sessions */
    uint32_t trigger;         /* RecorderTrigger */
    bool is_recorded;         /* `trigger` is not known yet: the last byte of the header is kept for it */
    struct header_part app, origin, page, referrer, device;
    uint32_t url_size;
    uint8_t url[SCRUB_URL_BYTES_MAX]; /* of the page: a new view may leave it as it is */
};

struct header_clocks {
    uint64_t mono_us, wall_unix_us;
};

/* From START. Changes `self` also when the record turns out bad. */
void header_read(struct header *self, struct core *core, struct inbox_record *start);
/* The texts of a new VIEW. */
void header_read_view(struct header *self, struct core *core, struct inbox_record *view);
/* Another route. false: it is the one that the view has. */
bool header_read_route(struct header *self, struct core *core, struct inbox_record *route);
/* Four words from `word` on, most significant byte first. An id of zeros marks the record bad. */
void header_read_id(struct inbox_record *record, unsigned word, uint8_t out[16]);

/* What a raw URL makes of the page's, and what is said of a raw referrer to it; the latter borrows from `scrub`. */
struct slice header_set_url(struct header *self, struct scrub *scrub, struct slice url);
struct slice header_referrer(const struct header *self, struct scrub *scrub, struct slice referrer);

void header_write(const struct header *self, struct header_clocks clocks, struct writer *out);

#endif

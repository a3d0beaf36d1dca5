/* Private to the view's answer: its beacons in memory, and the writers of its parts. */
#ifndef VITRACE_QUERY_VIEW_INTERNAL_H
#define VITRACE_QUERY_VIEW_INTERNAL_H

#include "collector/join/call_facts.h"
#include "collector/query/query_internal.h"

struct query_beacon {
    uint32_t seq;
    uint64_t received_us;
    struct slice payload; /* owned */
    struct beacon_strings strings;
};

struct query_view_data {
    struct query *query;
    const struct store_view_row *row;
    struct query_beacon *beacon; /* by seq */
    size_t beacon_count;
    struct beacon_summary newest; /* header and ledger of the newest beacon */
    uint64_t origin_unix_us;
    struct query_clock *clock; /* while requests are written */
    bool truncated, out_of_memory;
};

/* Steps over the records of one kind in all beacons, by seq. */
struct query_cursor {
    const struct query_view_data *view;
    enum beacon_field field;
    size_t beacon;
    struct beacon_reader reader;
    struct beacon_record record;
    const struct beacon_strings *strings; /* of the record's beacon */
};
struct query_cursor query_cursor_of(const struct query_view_data *view, enum beacon_field field);
/* Also decodes into `out`, which the descriptor describes. Records that do not decode are skipped. */
bool query_cursor_next(struct query_cursor *self, const pb_msgdesc_t *fields, void *out);
void query_write_ref(struct json *json, const char *key, const struct beacon_strings *strings, uint32_t ref);

struct query_request {
    enum store_request_kind kind;
    const struct query_beacon *beacon;
    struct slice body;
    uint64_t start_us;
    struct store_request_row row; /* ids are not kept */
    enum call_match_kind match;
    const struct query_request *call; /* of a resource: the call that it is the entry of */
    bool is_shown_in_resource;        /* a call that is some resource's */
};

struct query_requests {
    struct query_request *at;
    size_t count;
};

/* The span that the request was joined to. NULL = none, or it was cut from the answer. */
const struct query_span *query_request_server(const struct query_request *request, const struct query_spans *spans);

/* Ties calls to resources. Of both sides' joins the better one counts. false = out of memory. */
bool query_calls_match(struct query_requests *requests);
/* The `call` and `split` of a request, into its open object. */
void query_calls_write(const struct query_view_data *view, struct json *json, const struct query_request *request,
                       const struct query_spans *spans);

void query_write_navigation(struct query_view_data *view, struct json *json);
/* With `clock`, which they give. */
void query_write_requests(struct query_view_data *view, struct json *json);
void query_write_entries(struct query_view_data *view, struct json *json);
void query_write_frames(struct query_view_data *view, struct json *json);
/* Counts an entry of a list; false = the list ends here, and `truncated` is set. */
bool query_entry_begin(struct query_view_data *view, struct json *json, size_t *count);

#endif

/*
 * Which timing entry is which call? The browser does not say: it gives an entry for every request, under its URL, and
 * a page may have a dozen requests of one URL in flight. A wrong answer would show one call's phases on another, so
 * what cannot be decided is said to be ambiguous.
 *
 * Pure: the calls and entries of one view in, a verdict per call out. Times are microseconds from the time origin.
 */
#ifndef VITRACE_CALL_MATCH_H
#define VITRACE_CALL_MATCH_H

#include "collector/join/join.h"

#define CALL_MATCH_UNKNOWN INT64_MIN  /* a time that nobody told */
#define CALL_MATCH_NOBODY  UINT32_MAX /* no entry */

/* K(ID, name) */
#define CALL_MATCH_KINDS(K)                                                                                            \
    K(NONE, "none")                 /* no entry can be this call's: its body was not read, or the entry was lost */    \
    K(EXACT_TAG, "exact_tag")       /* the SDK told equal calls apart by a tag on their URL */                         \
    K(EXACT_ID, "exact_id")         /* a trace id that only these two have */                                          \
    K(EXACT_SINGLE, "exact_single") /* one call, one entry, and nothing else of that URL meanwhile */                  \
    K(ASSIGNED, "assigned")         /* the cheapest way to pair them all, by a margin */                               \
    K(AMBIGUOUS, "ambiguous")       /* another way is about as good: the entry given must not be used for phases */
#define CALL_MATCH_KIND_ENUM(id, name) CALL_MATCH_##id,
enum call_match_kind { CALL_MATCH_KINDS(CALL_MATCH_KIND_ENUM) CALL_MATCH_KIND_COUNT };

const char *call_match_kind_name(enum call_match_kind kind);

struct call_match_call {
    struct slice url;
    int64_t start_us;
    int64_t headers_us;      /* script had the response; CALL_MATCH_UNKNOWN: there was none */
    int64_t end_us;          /* its body was read, or it failed */
    uint64_t content_length; /* 0 = not known */
    uint32_t status;
    uint32_t tag; /* 0 = none */
    bool redirected;
    uint32_t id_count;
    const struct join_id *id;
};

struct call_match_entry {
    struct slice url;
    int64_t start_us;
    int64_t response_start_us, response_end_us; /* CALL_MATCH_UNKNOWN: not disclosed */
    uint64_t encoded_body_size;                 /* 0 = not known */
    uint32_t status;                            /* 0 = failed, or not disclosed */
    uint32_t tag;
    bool redirected;
    bool failed; /* nothing came, although everything would have been disclosed: only a failed call has such an entry */
    bool preloaded; /* a call may have consumed it later */
    uint32_t id_count;
    const struct join_id *id;
};

struct call_match {
    enum call_match_kind kind;
    uint32_t entry;
};

static inline bool call_match_is_sure(const struct call_match *self)
{
    return self->kind != CALL_MATCH_NONE && self->kind != CALL_MATCH_AMBIGUOUS;
}

/* `out` has room for call_count. No entry is given twice. false = out of memory. */
bool call_match(const struct call_match_call *call, uint32_t call_count, const struct call_match_entry *entry,
                uint32_t entry_count, struct call_match *out);

#endif

/*
 * What every HTTP/2 server here asks of nghttp2 and of its clients: options, settings, and a budget of frames. Knows
 * neither sockets nor what streams carry.
 *
 * Floods that nghttp2 counts: resets, H2_RESETS_BURST and then H2_RESETS_PER_S (CVE-2023-44487); CONTINUATION frames,
 * H2_CONTINUATIONS_MAX a block (CVE-2024-28182); unanswered PING and SETTINGS, H2_ACKS_MAX. Whatever else costs a client
 * nothing and brings us nothing is paid from its connection's budget (CVE-2019-9512 to -9518, CVE-2025-8671): see
 * h2_budget.
 */
#ifndef VITRACE_H2_H
#define VITRACE_H2_H

#include "proto/wire/slice.h"

#include <nghttp2/nghttp2.h>

#define H2_PREFACE            NGHTTP2_CLIENT_MAGIC
#define H2_PREFACE_BYTES      NGHTTP2_CLIENT_MAGIC_LEN
#define H2_FIELD_BYTES        32u /* what a header costs beside its name and value (RFC 9113, 6.5.2) */
#define H2_RESETS_BURST       200u
#define H2_RESETS_PER_S       20u
#define H2_CONTINUATIONS_MAX  8u
#define H2_ACKS_MAX           256u
#define H2_STREAM_WINDOW_BYTES     (256 << 10)
#define H2_CONNECTION_WINDOW_BYTES (1 << 20)
#define H2_BUDGET_MAX         1024u
#define H2_BUDGET_PER_S       16u
#define H2_BUDGET_RESET       4u /* of a stream, by either side */
#define H2_BUDGET_ANSWER      8u

nghttp2_option *h2_option_new(void); /* NULL = out of memory */
/* Announces what this server takes; HPACK tables stay at 4 KiB. False = out of memory. */
bool h2_session_announce(nghttp2_session *session, unsigned streams_max, unsigned header_bytes_max);

/* Values are copied by nghttp2, and names put in lower case: the flags that forbid it are not set. */
static inline nghttp2_nv h2_field(struct slice name, struct slice value)
{
    return (nghttp2_nv){(uint8_t *)(uintptr_t)name.data, (uint8_t *)(uintptr_t)value.data, name.size, value.size,
                        NGHTTP2_NV_FLAG_NONE};
}

/*
 * Frames that a connection may send without use: it begins with H2_BUDGET_MAX, and has never more.
 *
 *   taken   1 for PING, SETTINGS, PRIORITY, WINDOW_UPDATE, DATA without bytes; H2_BUDGET_RESET for a stream reset, by
 *           the client or for what the client did
 *   given   H2_BUDGET_PER_S by the clock; 2 for each DATA frame that we send (its WINDOW_UPDATEs); H2_BUDGET_ANSWER for
 *           each answer sent to its end, which a client that resets its streams never waits for
 *
 * Frames that nghttp2 passes over (of unknown types, DATA of streams that are gone) are not seen here: they are answered
 * nothing, store nothing, and keep no connection from its idle time.
 */
struct h2_budget {
    unsigned left;
    uint64_t filled_ms;
};
void h2_budget_init(struct h2_budget *self, uint64_t now_ms);
/* From on_begin_frame. false: it is used up. */
bool h2_budget_receive(struct h2_budget *self, const nghttp2_frame_hd *frame, uint64_t now_ms);
void h2_budget_receive_bytes(struct h2_budget *self); /* from on_data_chunk_recv: that frame had a use */
/* From on_frame_send. false: it is used up. */
bool h2_budget_send(struct h2_budget *self, const nghttp2_frame *frame);

/* From on_frame_send. An answer that ends before the request does: NO_ERROR tells the client to stop sending and to keep
 * the answer (RFC 9113, 8.1). */
void h2_session_end_early(nghttp2_session *session, const nghttp2_frame *frame);

#endif

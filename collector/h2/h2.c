#include "collector/h2/h2.h"

nghttp2_option *h2_option_new(void)
{
    nghttp2_option *option;
    if (nghttp2_option_new(&option) != 0)
        return NULL;
    nghttp2_option_set_no_closed_streams(option, 1);
    nghttp2_option_set_max_outbound_ack(option, H2_ACKS_MAX);
    nghttp2_option_set_stream_reset_rate_limit(option, H2_RESETS_BURST, H2_RESETS_PER_S);
    nghttp2_option_set_max_continuations(option, H2_CONTINUATIONS_MAX);
    return option;
}

bool h2_session_announce(nghttp2_session *session, unsigned streams_max, unsigned header_bytes_max)
{
    /* Not NO_RFC7540_PRIORITIES: with it nghttp2 1.52 frees an answer twice when there is no memory to queue it. */
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, streams_max},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, H2_STREAM_WINDOW_BYTES},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, header_bytes_max},
        {NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 0},
    };
    return nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings, sizeof settings / sizeof settings[0]) == 0 &&
           nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0, H2_CONNECTION_WINDOW_BYTES) == 0;
}

void h2_budget_init(struct h2_budget *self, uint64_t now_ms)
{
    *self = (struct h2_budget){.left = H2_BUDGET_MAX, .filled_ms = now_ms};
}

static void h2_budget_give(struct h2_budget *self, uint64_t amount)
{
    uint64_t room = H2_BUDGET_MAX - self->left;
    self->left += (unsigned)(amount < room ? amount : room);
}

static void h2_budget_fill(struct h2_budget *self, uint64_t now_ms)
{
    uint64_t due = (now_ms - self->filled_ms) * H2_BUDGET_PER_S / 1000;
    if (due == 0)
        return; /* the clock's rest stays due */
    h2_budget_give(self, due);
    self->filled_ms = now_ms;
}

static bool h2_budget_take(struct h2_budget *self, unsigned amount)
{
    if (amount > self->left)
        return false;
    self->left -= amount;
    return true;
}

bool h2_budget_receive(struct h2_budget *self, const nghttp2_frame_hd *frame, uint64_t now_ms)
{
    bool ends = (frame->flags & NGHTTP2_FLAG_END_STREAM) != 0;
    h2_budget_fill(self, now_ms);
    if (frame->type == NGHTTP2_HEADERS || frame->type == NGHTTP2_CONTINUATION || (frame->type == NGHTTP2_DATA && ends))
        return true; /* bounded by streams and by the size of a head */
    return h2_budget_take(self, frame->type == NGHTTP2_RST_STREAM ? H2_BUDGET_RESET : 1);
}

void h2_budget_receive_bytes(struct h2_budget *self)
{
    h2_budget_give(self, 1);
}

bool h2_budget_send(struct h2_budget *self, const nghttp2_frame *frame)
{
    uint32_t error = frame->hd.type == NGHTTP2_RST_STREAM ? frame->rst_stream.error_code : NGHTTP2_NO_ERROR;
    if (frame->hd.type == NGHTTP2_DATA)
        h2_budget_give(self, 2);
    if ((frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS) &&
        (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0)
        h2_budget_give(self, H2_BUDGET_ANSWER);
    bool is_theirs = error == NGHTTP2_PROTOCOL_ERROR || error == NGHTTP2_FLOW_CONTROL_ERROR ||
                     error == NGHTTP2_STREAM_CLOSED || error == NGHTTP2_FRAME_SIZE_ERROR;
    return !is_theirs || h2_budget_take(self, H2_BUDGET_RESET);
}

void h2_session_end_early(nghttp2_session *session, const nghttp2_frame *frame)
{
    if ((frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA) &&
        (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0 &&
        nghttp2_session_get_stream_remote_close(session, frame->hd.stream_id) == 0)
        nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_NO_ERROR);
}

/* HTTP/2 as nghttp2 tells it: streams become calls, replies become HEADERS, DATA and trailers. */
#include "collector/grpc/grpc_internal.h"

#define GRPC_TYPE "application/grpc"

static struct grpc_call *session_find_call(nghttp2_session *session, int32_t stream_id)
{
    return nghttp2_session_get_stream_user_data(session, stream_id);
}

static int session_on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *context)
{
    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
        return 0;
    struct grpc_call *call = grpc_call_new(context, frame->hd.stream_id);
    if (call == NULL)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE; /* resets the stream */
    nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, call);
    call->connection->has_called = true;
    return 0;
}

static bool session_path_is(struct slice value, const struct grpc_method *method)
{
    return slice_equal(value, slice_text(method->path));
}

/* "application/grpc", "application/grpc+proto", either with parameters. */
static bool session_type_is_grpc(struct slice value)
{
    const uint8_t *semicolon = value.size > 0 ? memchr(value.data, ';', value.size) : NULL;
    if (semicolon != NULL)
        value.size = (size_t)(semicolon - value.data);
    return slice_equal(value, slice_text(GRPC_TYPE)) || slice_equal(value, slice_text(GRPC_TYPE "+proto"));
}

static void session_take_header(struct grpc_call *call, struct slice name, struct slice value)
{
    const struct grpc_options *options = &call->grpc->options;
    if (slice_equal(name, slice_text(":method"))) {
        call->is_post = slice_equal(value, slice_text("POST"));
    } else if (slice_equal(name, slice_text(":path"))) {
        for (size_t i = 0; i < options->method_count; i++)
            if (session_path_is(value, &options->methods[i]))
                call->method = &options->methods[i];
    } else if (slice_equal(name, slice_text("content-type"))) {
        call->is_grpc = session_type_is_grpc(value);
    } else if (slice_equal(name, slice_text("grpc-encoding"))) {
        /* One that is too long is cut, and so is none that anybody knows. */
        call->encoding_size = value.size < sizeof call->encoding ? value.size : sizeof call->encoding;
        memcpy(call->encoding, value.data, call->encoding_size);
        if (slice_equal(value, slice_text("identity")))
            call->encoding_size = 0;
    }
}

static int session_on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                             size_t name_size, const uint8_t *value, size_t value_size, uint8_t flags, void *context)
{
    (void)flags;
    (void)context;
    struct grpc_call *call = session_find_call(session, frame->hd.stream_id);
    if (call == NULL || call->answered)
        return 0;
    call->header_bytes += name_size + value_size + 32; /* as RFC 9113 6.5.2 counts them */
    if (call->header_bytes > GRPC_HEADER_BYTES_MAX) {
        counters_add(call->grpc->options.counters, COUNTER_HTTP_HEADERS_TOO_LARGE, 1);
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    if (frame->headers.cat == NGHTTP2_HCAT_REQUEST)
        session_take_header(call, slice_of(name, name_size), slice_of(value, value_size));
    return 0;
}

static void session_check_head(struct grpc_call *call)
{
    static const struct reject_cause not_grpc = {COUNTER_HTTP_METHOD, 415, "media_type", "This address speaks gRPC only."};
    static const struct reject_cause not_post = {COUNTER_HTTP_METHOD, 405, "method", "This address speaks gRPC only: POST."};
    if (!call->is_post || !call->is_grpc) {
        counters_add(call->grpc->options.counters, COUNTER_HTTP_METHOD, 1);
        grpc_call_note(call, call->is_post ? &not_grpc : &not_post);
        grpc_session_refuse_http(call, call->is_post ? "415" : "405");
    } else if (call->method == NULL) {
        grpc_call_refuse(call, GRPC_UNIMPLEMENTED, "unknown method", COUNTER_HTTP_NOT_FOUND);
    } else {
        call->message.room_max = GRPC_PREFIX_BYTES + call->method->message_bytes_max;
    }
}

static int session_on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *context)
{
    if (frame->hd.type == NGHTTP2_PING && (frame->hd.flags & NGHTTP2_FLAG_ACK) != 0)
        grpc_connection_dismiss(context); /* the only PING of ours is the farewell's */
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA)
        return 0;
    struct grpc_call *call = session_find_call(session, frame->hd.stream_id);
    if (call == NULL)
        return 0;
    if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST)
        session_check_head(call);
    if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0)
        grpc_call_complete(call);
    return 0;
}

static int session_on_data(nghttp2_session *session, uint8_t flags, int32_t stream_id, const uint8_t *data, size_t size,
                           void *context)
{
    (void)flags;
    struct grpc_connection *connection = context;
    struct grpc_call *call = session_find_call(session, stream_id);
    h2_budget_receive_bytes(&connection->budget);
    if (call != NULL)
        grpc_call_add(call, slice_of(data, size));
    return 0;
}

/* For what the client did; no more is read, and flush closes when this has been sent. */
static void session_end(struct grpc_connection *connection)
{
    if (connection->ended)
        return;
    connection->ended = true;
    counters_add(connection->grpc->options.counters, COUNTER_HTTP2_FLOOD, 1);
    nghttp2_session_terminate_session(connection->session, NGHTTP2_ENHANCE_YOUR_CALM);
}

static int session_on_begin_frame(nghttp2_session *session, const nghttp2_frame_hd *frame, void *context)
{
    (void)session;
    struct grpc_connection *connection = context;
    if (!h2_budget_receive(&connection->budget, frame, uv_now(&connection->grpc->uv)))
        session_end(connection);
    return 0;
}

static int session_on_sent(nghttp2_session *session, const nghttp2_frame *frame, void *context)
{
    struct grpc_connection *connection = context;
    h2_session_end_early(session, frame);
    if (frame->hd.type == NGHTTP2_GOAWAY)
        grpc_connection_ask(connection);
    if (!h2_budget_send(&connection->budget, frame))
        session_end(connection);
    return 0;
}

static int session_on_close(nghttp2_session *session, int32_t stream_id, uint32_t error, void *context)
{
    (void)error;
    (void)context;
    struct grpc_call *call = session_find_call(session, stream_id);
    if (call != NULL)
        grpc_call_leave(call);
    return 0;
}

static nghttp2_nv session_field(const char *name, const char *value)
{
    return h2_field(slice_text(name), slice_text(value));
}

static ssize_t session_read_response(nghttp2_session *session, int32_t stream_id, uint8_t *out, size_t room,
                                     uint32_t *flags, nghttp2_data_source *source, void *context)
{
    (void)context;
    struct grpc_call *call = source->ptr;
    size_t left = call->response.size - call->response_sent, size = left < room ? left : room;
    memcpy(out, call->response.data + call->response_sent, size);
    call->response_sent += size;
    if (size == left) {
        nghttp2_nv trailers[] = {session_field("grpc-status", call->status), session_field("grpc-message", call->text)};
        *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
        if (nghttp2_submit_trailer(session, stream_id, trailers, call->text[0] != '\0' ? 2 : 1) != 0)
            return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    return (ssize_t)size;
}

/* An error has no message, so its trailers are its headers. */
void grpc_session_answer(struct grpc_call *call)
{
    nghttp2_session *session = call->connection->session;
    nghttp2_data_provider provider = {.source.ptr = call, .read_callback = session_read_response};
    nghttp2_nv fields[] = {session_field(":status", "200"), session_field("content-type", GRPC_TYPE),
                           session_field("grpc-accept-encoding", "identity,gzip,zstd"),
                           session_field("grpc-status", call->status), session_field("grpc-message", call->text),
                           session_field("grpc-status-details-bin", call->details)};
    bool has_message = call->response.size > 0;
    size_t error_fields = call->details[0] != '\0' ? 6 : 5;
    if (nghttp2_submit_response(session, call->stream_id, fields, has_message ? 3 : error_fields,
                                has_message ? &provider : NULL) != 0)
        nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, call->stream_id, NGHTTP2_INTERNAL_ERROR);
}

void grpc_session_refuse_http(struct grpc_call *call, const char *status)
{
    nghttp2_nv field = session_field(":status", status);
    call->answered = true; /* its deadline stays: for the answer to be sent */
    nghttp2_submit_response(call->connection->session, call->stream_id, &field, 1, NULL);
}

bool grpc_session_prepare(struct grpc *grpc)
{
    grpc->option = h2_option_new();
    if (grpc->option == NULL || nghttp2_session_callbacks_new(&grpc->callbacks) != 0)
        return false;
    nghttp2_session_callbacks_set_on_begin_frame_callback(grpc->callbacks, session_on_begin_frame);
    nghttp2_session_callbacks_set_on_begin_headers_callback(grpc->callbacks, session_on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(grpc->callbacks, session_on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(grpc->callbacks, session_on_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(grpc->callbacks, session_on_data);
    nghttp2_session_callbacks_set_on_frame_send_callback(grpc->callbacks, session_on_sent);
    nghttp2_session_callbacks_set_on_stream_close_callback(grpc->callbacks, session_on_close);
    return true;
}

bool grpc_session_new(struct grpc_connection *connection)
{
    struct grpc *grpc = connection->grpc;
    h2_budget_init(&connection->budget, uv_now(&grpc->uv));
    return nghttp2_session_server_new2(&connection->session, grpc->callbacks, connection, grpc->option) == 0 &&
           h2_session_announce(connection->session, GRPC_STREAMS_MAX, GRPC_HEADER_BYTES_MAX);
}

/*
 * The hand-written reader against nanopb and proto/otlp/trace.proto: thousands of random requests (fields in any order,
 * repeated, unknown; ids of any size; text that is not UTF-8) must read the same through both.
 */
#include "collector/otlp/otlp_internal.h"
#include "tests/unit/collector/otlp/otlp_message.h"

#include "otlp/trace.pb.h"

#include <pb_common.h>
#include <pb_decode.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define REQUESTS  4000
#define PARTS_MAX 64

struct parts {
    struct slice at[PARTS_MAX];
    unsigned count;
};

/* Collects the bytes of each occurrence of a length-delimited field. */
static bool parts_take(pb_istream_t *stream, const pb_field_t *field, void **arg)
{
    (void)field;
    struct parts *self = *arg;
    assert_true(self->count < PARTS_MAX);
    self->at[self->count++] = slice_of(stream->state, stream->bytes_left);
    return pb_read(stream, NULL, stream->bytes_left);
}

static pb_callback_t parts_of(struct parts *self)
{
    return (pb_callback_t){.funcs.decode = parts_take, .arg = self};
}

static struct slice parts_last(const struct parts *self)
{
    return self->count > 0 ? self->at[self->count - 1] : slice_of(NULL, 0);
}

static void oracle_decode(struct slice bytes, const pb_msgdesc_t *fields, void *out)
{
    pb_istream_t stream = pb_istream_from_buffer(bytes.size > 0 ? bytes.data : (const uint8_t *)"", bytes.size);
    assert_true(pb_decode_ex(&stream, fields, out, PB_DECODE_NOINIT));
}

struct oracle_value {
    enum { OTHER, TEXT, INT } type;
    struct slice text;
    int64_t number;
};

static bool value_take_text(pb_istream_t *stream, const pb_field_t *field, void **arg)
{
    (void)field;
    struct oracle_value *self = *arg;
    self->type = TEXT;
    self->text = slice_of(stream->state, stream->bytes_left);
    return pb_read(stream, NULL, stream->bytes_left);
}

static bool value_take_int(pb_istream_t *stream, const pb_field_t *field, void **arg)
{
    (void)field;
    struct oracle_value *self = *arg;
    uint64_t number;
    self->type = INT;
    if (!pb_decode_varint(stream, &number))
        return false;
    self->number = (int64_t)number;
    return true;
}

static bool value_take_other(pb_istream_t *stream, const pb_field_t *field, void **arg)
{
    (void)field;
    ((struct oracle_value *)*arg)->type = OTHER;
    return pb_read(stream, NULL, stream->bytes_left);
}

static void oracle_attribute(struct slice bytes, struct slice *key, struct oracle_value *value)
{
    struct parts keys = {.count = 0}, values = {.count = 0};
    vitrace_otlp_KeyValue pair = {.key = parts_of(&keys), .value = parts_of(&values)};
    oracle_decode(bytes, vitrace_otlp_KeyValue_fields, &pair);
    *key = parts_last(&keys);
    *value = (struct oracle_value){.type = OTHER};
    pb_callback_t other = {.funcs.decode = value_take_other, .arg = value};
    vitrace_otlp_AnyValue any = {.string_value = {.funcs.decode = value_take_text, .arg = value},
                                 .int_value = {.funcs.decode = value_take_int, .arg = value},
                                 .bool_value = other,
                                 .double_value = other,
                                 .array_value = other,
                                 .kvlist_value = other,
                                 .bytes_value = other};
    oracle_decode(parts_last(&values), vitrace_otlp_AnyValue_fields, &any);
}

/* Last text of the key, as a plain search would find it. */
static bool oracle_text(const struct parts *attributes, const char *name, struct slice *out)
{
    bool found = false;
    for (unsigned i = 0; i < attributes->count; i++) {
        struct slice key;
        struct oracle_value value;
        oracle_attribute(attributes->at[i], &key, &value);
        if (slice_equal(key, slice_text(name)) && value.type == TEXT) {
            *out = value.text;
            found = true;
        }
    }
    return found;
}

static void oracle_text_of(const struct parts *attributes, const char *name, const char *old_name, struct slice *out)
{
    *out = slice_of(NULL, 0);
    if (!oracle_text(attributes, name, out) && old_name != NULL)
        oracle_text(attributes, old_name, out);
}

static bool oracle_status(const struct parts *attributes, const char *name, uint32_t *out)
{
    bool found = false;
    for (unsigned i = 0; i < attributes->count; i++) {
        struct slice key;
        struct oracle_value value;
        oracle_attribute(attributes->at[i], &key, &value);
        if (slice_equal(key, slice_text(name)) && value.type == INT && value.number >= 0 && value.number < 1000) {
            *out = (uint32_t)value.number;
            found = true;
        }
    }
    return found;
}

static bool oracle_id(const struct parts *ids, size_t size, uint8_t *out)
{
    struct slice last = parts_last(ids);
    for (unsigned i = 0; i < ids->count; i++) {
        if (ids->at[i].size != 0 && ids->at[i].size != size)
            return false;
    }
    memset(out, 0, size);
    if (last.size == size)
        memcpy(out, last.data, size);
    return true;
}

static bool oracle_zero(const uint8_t *id, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (id[i] != 0)
            return false;
    }
    return true;
}

/* nanopb's own UTF-8 check wants a terminated string. */
static bool oracle_utf8(struct slice text)
{
    char copy[512];
    assert_true(text.size < sizeof copy && (text.size == 0 || memchr(text.data, 0, text.size) == NULL));
    if (text.size > 0)
        memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    return pb_validate_utf8(copy);
}

static bool oracle_span(struct slice bytes, struct slice service_name, struct otlp_span *out)
{
    struct parts trace = {.count = 0}, span = {.count = 0}, parent = {.count = 0}, name = {.count = 0};
    struct parts attributes = {.count = 0};
    vitrace_otlp_Span message = {.trace_id = parts_of(&trace),
                                 .span_id = parts_of(&span),
                                 .parent_span_id = parts_of(&parent),
                                 .name = parts_of(&name),
                                 .attributes = parts_of(&attributes)};
    oracle_decode(bytes, vitrace_otlp_Span_fields, &message);
    *out = (struct otlp_span){.service_name = service_name,
                              .name = parts_last(&name),
                              .start_unix_ns = message.start_time_unix_nano,
                              .end_unix_ns = message.end_time_unix_nano,
                              .flags = message.flags};
    out->kind = (unsigned)message.kind <= 5 ? (unsigned)message.kind : 0;
    out->status_code = message.has_status && (unsigned)message.status.code <= 2 ? (unsigned)message.status.code : 0;
    bool ids = oracle_id(&trace, 16, out->trace_id) && oracle_id(&span, 8, out->span_id) &&
               oracle_id(&parent, 8, out->parent_span_id);
    oracle_text_of(&attributes, "http.request.method", "http.method", &out->http_method);
    oracle_text_of(&attributes, "http.route", NULL, &out->http_route);
    oracle_text_of(&attributes, "db.system.name", "db.system", &out->db_system);
    oracle_text_of(&attributes, "db.query.text", "db.statement", &out->db_query);
    oracle_text_of(&attributes, "peer.service", NULL, &out->peer_service);
    if (!oracle_text(&attributes, "url.path", &out->url_path) &&
        oracle_text(&attributes, "http.target", &out->url_path)) {
        const uint8_t *query = out->url_path.size > 0 ? memchr(out->url_path.data, '?', out->url_path.size) : NULL;
        if (query != NULL)
            out->url_path.size = (size_t)(query - out->url_path.data);
    }
    if (!oracle_status(&attributes, "http.response.status_code", &out->http_status))
        oracle_status(&attributes, "http.status_code", &out->http_status);
    return ids && !oracle_zero(out->trace_id, 16) && !oracle_zero(out->span_id, 8) && oracle_utf8(out->name) &&
           oracle_utf8(service_name) && oracle_utf8(out->http_method) && oracle_utf8(out->http_route) &&
           oracle_utf8(out->url_path) && oracle_utf8(out->db_system) && oracle_utf8(out->db_query) &&
           oracle_utf8(out->peer_service);
}

static void expect_slice(struct slice got, struct slice want)
{
    assert_true(slice_equal(got, want));
}

static void expect_span(const struct otlp_span *got, const struct otlp_span *want)
{
    assert_memory_equal(got->trace_id, want->trace_id, 16);
    assert_memory_equal(got->span_id, want->span_id, 8);
    assert_memory_equal(got->parent_span_id, want->parent_span_id, 8);
    assert_int_equal(got->flags, want->flags);
    assert_int_equal(got->kind, want->kind);
    assert_int_equal(got->start_unix_ns, want->start_unix_ns);
    assert_int_equal(got->end_unix_ns, want->end_unix_ns);
    assert_int_equal(got->status_code, want->status_code);
    assert_int_equal(got->http_status, want->http_status);
    expect_slice(got->name, want->name);
    expect_slice(got->service_name, want->service_name);
    expect_slice(got->http_method, want->http_method);
    expect_slice(got->http_route, want->http_route);
    expect_slice(got->url_path, want->url_path);
    expect_slice(got->db_system, want->db_system);
    expect_slice(got->db_query, want->db_query);
    expect_slice(got->peer_service, want->peer_service);
}

static void compare_resource_spans(struct otlp_reader *reader, struct slice bytes, unsigned counts[2])
{
    struct parts resources = {.count = 0}, scopes = {.count = 0}, attributes = {.count = 0};
    vitrace_otlp_ResourceSpans message = {.resource = parts_of(&resources), .scope_spans = parts_of(&scopes)};
    oracle_decode(bytes, vitrace_otlp_ResourceSpans_fields, &message);
    for (unsigned i = 0; i < resources.count; i++) {
        vitrace_otlp_Resource resource = {.attributes = parts_of(&attributes)};
        oracle_decode(resources.at[i], vitrace_otlp_Resource_fields, &resource);
    }
    struct slice service_name = {NULL, 0};
    oracle_text(&attributes, "service.name", &service_name);
    for (unsigned i = 0; i < scopes.count; i++) {
        struct parts spans = {.count = 0};
        vitrace_otlp_ScopeSpans scope = {.spans = parts_of(&spans)};
        oracle_decode(scopes.at[i], vitrace_otlp_ScopeSpans_fields, &scope);
        for (unsigned k = 0; k < spans.count; k++) {
            struct otlp_span want, got;
            bool good = oracle_span(spans.at[k], service_name, &want);
            assert_int_equal(otlp_reader_next(reader, &got), good ? OTLP_SPAN : OTLP_BAD_SPAN);
            if (good)
                expect_span(&got, &want);
            counts[good]++;
        }
    }
}

static void compare(struct slice request, unsigned counts[2])
{
    struct parts batch = {.count = 0};
    vitrace_otlp_ExportTraceServiceRequest message = {.resource_spans = parts_of(&batch)};
    struct otlp_reader reader;
    struct otlp_span span;
    oracle_decode(request, vitrace_otlp_ExportTraceServiceRequest_fields, &message);
    otlp_reader_init(&reader, request);
    for (unsigned i = 0; i < batch.count; i++)
        compare_resource_spans(&reader, batch.at[i], counts);
    assert_int_equal(otlp_reader_next(&reader, &span), OTLP_END);
}

static uint32_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005ull + 1442695040888963407ull;
    return (uint32_t)(*state >> 33);
}

static const char *random_text(uint64_t *seed)
{
    static const char *const texts[] = {
        "", "GET", "/a/b?c=d", "h\xc3\xa9llo", "\xe2\x82\xac", "/p/:id", "\xf0\x9f\x98\x80"};
    static const char *const broken[] = {"\xff", "\xc3", "\xed\xa0\x80"};
    return next_random(seed) % 60 == 0 ? broken[next_random(seed) % 3] : texts[next_random(seed) % 7];
}

static void random_attribute(struct message *out, uint32_t field, uint64_t *seed)
{
    static const char *const keys[] = {"http.request.method", "http.method",
                                       "http.route",          "url.path",
                                       "http.target",         "http.response.status_code",
                                       "http.status_code",    "db.system.name",
                                       "db.system",           "db.query.text",
                                       "db.statement",        "peer.service",
                                       "service.name",        "http.rout",
                                       "http.routes",         ""};
    static struct message value, pair;
    value.size = pair.size = 0;
    for (unsigned members = next_random(seed) % 8 == 0 ? next_random(seed) % 3 : 1; members > 0; members--) {
        unsigned type = next_random(seed) % 7;
        if (type < 3)
            message_text(&value, 1, random_text(seed));
        else if (type < 5)
            message_number(&value, 3, next_random(seed) % 4 == 0 ? UINT64_MAX : next_random(seed) % 1100);
        else if (type == 5)
            message_bytes(&value, 5 + next_random(seed) % 3, slice_of("\x0a\x00", 2));
        else
            message_fixed(&value, 4, 1, 8);
    }
    bool value_first = next_random(seed) % 2;
    for (unsigned i = 0; i < 2; i++) {
        if ((i == 0) == value_first)
            message_bytes(&pair, 2, message_slice(&value));
        else
            message_text(&pair, 1, keys[next_random(seed) % 16]);
    }
    message_bytes(out, field, message_slice(&pair));
}

static void random_id(struct message *out, uint32_t field, size_t size, uint64_t *seed)
{
    uint8_t id[32] = {0};
    for (size_t i = 0; i < sizeof id && next_random(seed) % 40 != 0; i++)
        id[i] = (uint8_t)next_random(seed);
    if (next_random(seed) % 40 == 0)
        size = next_random(seed) % sizeof id;
    message_bytes(out, field, slice_of(id, size));
}

static void random_span_field(struct message *out, uint64_t *seed)
{
    static struct message status;
    status.size = 0;
    switch (next_random(seed) % 12) {
    case 0:
        random_id(out, 4, 8, seed);
        break;
    case 1:
        message_text(out, 5, random_text(seed));
        break;
    case 2:
        message_number(out, 6, next_random(seed) % 8);
        break;
    case 3:
        message_fixed(out, 7, next_random(seed), 8);
        break;
    case 4:
        message_fixed(out, 8, next_random(seed), 8);
        break;
    case 5:
        message_number(&status, 3, next_random(seed) % 4);
        message_text(&status, 2, random_text(seed));
        message_bytes(out, 15, message_slice(&status));
        break;
    case 6:
        message_fixed(out, 16, next_random(seed) & 0x3ff, 4);
        break;
    case 7:
        message_text(out, 3 + 10 * (next_random(seed) % 2), "unknown"); /* trace_state, links */
        break;
    default:
        random_attribute(out, 9, seed);
    }
}

static void random_span(struct message *out, uint64_t *seed)
{
    out->size = 0;
    unsigned fields = next_random(seed) % 14, ids_at = next_random(seed) % (fields + 1);
    for (unsigned i = 0; i <= fields; i++) {
        if (i == ids_at) {
            random_id(out, 1, 16, seed);
            random_id(out, 2, 8, seed);
        } else {
            random_span_field(out, seed);
        }
    }
}

static void random_request(struct message *out, uint64_t *seed)
{
    static struct message span, scope, resource, spans;
    out->size = 0;
    for (unsigned batches = next_random(seed) % 4; batches > 0; batches--) {
        spans.size = 0;
        for (unsigned parts = next_random(seed) % 5; parts > 0; parts--) {
            scope.size = resource.size = 0;
            for (unsigned count = next_random(seed) % 4; count > 0; count--) {
                random_span(&span, seed);
                message_bytes(&scope, 2, message_slice(&span));
                random_attribute(&resource, 1, seed);
            }
            if (next_random(seed) % 3 == 0)
                message_bytes(&spans, 1, message_slice(&resource));
            else
                message_bytes(&spans, 2, message_slice(&scope));
            if (next_random(seed) % 3 == 0)
                message_text(&spans, 3, "https://example.test/schema");
        }
        message_bytes(out, 1, message_slice(&spans));
    }
}

static void test_otlp_schema__reader_and_nanopb_read_the_same_spans(void **state)
{
    (void)state;
    static struct message request;
    unsigned counts[2] = {0};
    for (uint64_t n = 1; n <= REQUESTS; n++) {
        uint64_t seed = n * 0x9e3779b97f4a7c15ull;
        random_request(&request, &seed);
        compare(message_slice(&request), counts);
    }
    assert_true(counts[true] > REQUESTS && counts[false] > REQUESTS / 10);
}

static void test_otlp_schema__answers_decode_as_the_published_messages(void **state)
{
    (void)state;
    struct otlp_response response;
    vitrace_otlp_ExportTraceServiceResponse partial = vitrace_otlp_ExportTraceServiceResponse_init_zero;
    otlp_response_accept(&response, OTLP_PROTOBUF, 7, 300);
    oracle_decode(slice_of(response.bytes, response.size), vitrace_otlp_ExportTraceServiceResponse_fields, &partial);
    assert_true(partial.has_partial_success);
    assert_int_equal(partial.partial_success.rejected_spans, 300);
    assert_non_null(strstr(partial.partial_success.error_message, "300 of 307 spans refused"));
    otlp_response_accept(&response, OTLP_PROTOBUF, 7, 0);
    assert_int_equal(response.size, 0);
    otlp_response_accept(&response, OTLP_JSON, 7, 0);
    assert_memory_equal(response.bytes, "{}", 2);
    otlp_response_accept(&response, OTLP_PROTOBUF, UINT64_MAX / 2, UINT64_MAX / 2);
    otlp_response_accept(&response, OTLP_JSON, UINT64_MAX / 2, UINT64_MAX / 2);
    assert_true(response.size < OTLP_RESPONSE_BYTES_MAX);

    char longest[OTLP_MESSAGE_BYTES_MAX];
    memset(longest, 'x', sizeof longest);
    vitrace_otlp_RpcStatus status = vitrace_otlp_RpcStatus_init_zero;
    otlp_response_refuse(&response, OTLP_PROTOBUF, 14, slice_of(longest, sizeof longest));
    oracle_decode(slice_of(response.bytes, response.size), vitrace_otlp_RpcStatus_fields, &status);
    assert_int_equal(status.code, 14);
    assert_int_equal(strlen(status.message), sizeof longest);
    otlp_response_refuse(&response, OTLP_JSON, 16, slice_of(longest, sizeof longest));
    assert_memory_equal(response.bytes, "{\"code\":16,\"message\":\"xxx", 25);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_otlp_schema__reader_and_nanopb_read_the_same_spans),
        cmocka_unit_test(test_otlp_schema__answers_decode_as_the_published_messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * Any bytes as an export request, plain and as gzip. The reader must end, stay inside the bytes (sanitizers), give only
 * spans that hold what otlp.h promises, and give the same again.
 */
#include "collector/otlp/otlp_internal.h"

#include "proto/wire/ids.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_slice(struct slice request, struct slice part)
{
    assert(part.size == 0 || (part.data >= request.data && part.data + part.size <= request.data + request.size));
    assert(otlp_text_valid(part));
}

static void check_span(struct slice request, const struct otlp_span *span)
{
    assert(!ids_is_zero(span->trace_id, 16) && !ids_is_zero(span->span_id, 8));
    assert(span->kind <= 5 && span->status_code <= 2 && span->http_status <= 999);
    check_slice(request, span->name);
    check_slice(request, span->service_name);
    check_slice(request, span->http_method);
    check_slice(request, span->http_route);
    check_slice(request, span->url_path);
    check_slice(request, span->db_system);
    check_slice(request, span->db_query);
    check_slice(request, span->peer_service);
}

static size_t read_all(struct slice request, enum otlp_read_status *last)
{
    struct otlp_reader reader;
    struct otlp_span span;
    size_t count = 0;
    otlp_reader_init(&reader, request);
    while ((*last = otlp_reader_next(&reader, &span)) == OTLP_SPAN || *last == OTLP_BAD_SPAN) {
        if (*last == OTLP_SPAN)
            check_span(request, &span);
        count++;
    }
    assert(otlp_reader_next(&reader, &span) == *last);
    assert(count <= request.size);
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct otlp otlp = {.bodies.bytes_max = OTLP_BODY_BYTES_TOTAL_MAX};
    struct inflate_body inflated = {0};
    enum otlp_read_status first, second;
    size_t count = read_all(slice_of(data, size), &first);
    assert(read_all(slice_of(data, size), &second) == count && first == second);
    if (inflate_gzip(&otlp.bodies, OTLP_GZIP_LIMITS, slice_of(data, size), &inflated) == INFLATE_OK)
        read_all(slice_of(inflated.data, inflated.size), &first);
    inflate_body_release(&otlp.bodies, &inflated);
    assert(otlp.bodies.bytes == 0);
    return 0;
}

/*
 * Any bytes as OTLP/JSON. What converts must fit the promise of otlp_json.c: never larger than the JSON, always
 * protobuf to its end, the same twice; and what does not convert gives its memory back. The same bytes go through zstd.
 */
#include "collector/otlp/otlp_internal.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_all(struct slice request)
{
    struct otlp_reader reader;
    struct otlp_span span;
    enum otlp_read_status status;
    otlp_reader_init(&reader, request);
    while ((status = otlp_reader_next(&reader, &span)) == OTLP_SPAN || status == OTLP_BAD_SPAN)
        continue;
    assert(status == OTLP_END);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct otlp otlp = {.bodies.bytes_max = OTLP_BODY_BYTES_TOTAL_MAX};
    struct inflate_body first = {0}, second = {0}, inflated = {0};
    enum inflate_status status = otlp_json_convert(&otlp.bodies, slice_of(data, size), &first);
    assert(otlp_json_convert(&otlp.bodies, slice_of(data, size), &second) == status);
    if (status == INFLATE_OK) {
        assert(first.size <= size && first.size == second.size && memcmp(first.data, second.data, first.size) == 0);
        read_all(slice_of(first.data, first.size));
    }
    inflate_body_release(&otlp.bodies, &first);
    inflate_body_release(&otlp.bodies, &second);
    if (inflate_zstd(&otlp.bodies, OTLP_ZSTD_LIMITS, slice_of(data, size), &inflated) == INFLATE_OK)
        assert(inflated.size <= OTLP_REQUEST_BYTES_MAX);
    inflate_body_release(&otlp.bodies, &inflated);
    assert(otlp.bodies.bytes == 0);
    return 0;
}

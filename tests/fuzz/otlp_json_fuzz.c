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
    struct otlp otlp = {.body_bytes = 0};
    struct otlp_body first = {0}, second = {0}, inflated = {0};
    enum otlp_body_status status = otlp_json_convert(&otlp, slice_of(data, size), &first);
    assert(otlp_json_convert(&otlp, slice_of(data, size), &second) == status);
    if (status == OTLP_BODY_OK) {
        assert(first.size <= size && first.size == second.size && memcmp(first.data, second.data, first.size) == 0);
        read_all(slice_of(first.data, first.size));
    }
    otlp_body_release(&otlp, &first);
    otlp_body_release(&otlp, &second);
    if (otlp_inflate_zstd(&otlp, slice_of(data, size), &inflated) == OTLP_BODY_OK)
        assert(inflated.size <= OTLP_REQUEST_BYTES_MAX);
    otlp_body_release(&otlp, &inflated);
    assert(otlp.body_bytes == 0);
    return 0;
}

/* Builds ExportTraceServiceRequests by hand from the published field numbers, independently of the reader. */
#ifndef VITRACE_TEST_OTLP_BUILDER_H
#define VITRACE_TEST_OTLP_BUILDER_H

#include "proto/wire/slice.h"

struct otlp_builder {
    uint8_t bytes[65536];
    size_t size;
};

struct otlp_builder_span {
    uint8_t trace, span, parent; /* ids of repeated bytes; parent 0 = root */
    uint32_t kind;               /* 2 server, 3 client */
    uint64_t start_unix_us, duration_us;
    const char *service, *name;
    const char *http_route, *db_system, *db_query; /* NULL = left out */
};

void otlp_builder_init(struct otlp_builder *self);
/* In a ResourceSpans of its own. */
void otlp_builder_span(struct otlp_builder *self, const struct otlp_builder_span *span);
struct slice otlp_builder_bytes(const struct otlp_builder *self);

#endif

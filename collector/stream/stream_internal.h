/* Shared by the phases of stream; nobody else includes it. */
#ifndef VITRACE_STREAM_INTERNAL_H
#define VITRACE_STREAM_INTERNAL_H

#include "collector/stream/stream.h"

/* One write that the kernel did not take at once. */
struct stream_rest {
    uv_write_t request;
    struct stream *stream;
    size_t size;
    uint8_t bytes[];
};

#endif

/* Whatever the network sends: beacon_validate answers, and what it calls BEACON_OK reads without surprises. */
#include <stdlib.h>

#include "proto/wire/beacon_decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct beacon_strings strings;
    struct beacon_summary summary;
    struct slice beacon = slice_of(data, size);
    if (beacon_validate(beacon, &summary) != BEACON_OK)
        return 0;
    beacon_strings_init(&strings, beacon);
    if (strings.count != summary.strings)
        abort();
    uint8_t view_id[16];
    uint32_t seq;
    if (!beacon_find_key(beacon, view_id, &seq) || memcmp(view_id, summary.header.view_id, sizeof view_id) != 0 ||
        seq != summary.header.seq)
        abort();
    struct beacon_reader reader = beacon_reader_of(beacon);
    struct beacon_record record;
    while (beacon_reader_next(&reader, &record)) {
        vitrace_v1_Resource resource;
        if (record.field != BEACON_FIELD_RESOURCE)
            continue;
        if (!beacon_decode_resource(record.body, &resource) || resource.name_ref > strings.count)
            abort();
    }
    return 0;
}

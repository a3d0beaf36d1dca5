/* The first line of the input is a parameter's name, the rest a query. Byte 0 is the room for the value. */
#include "collector/net/net.h"

#include <assert.h>
#include <stdlib.h>

#define FUZZ_NAME_BYTES_MAX 32u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char name[FUZZ_NAME_BYTES_MAX + 1];
    const uint8_t *line = size > 1 ? memchr(data + 1, '\n', size - 1) : NULL;
    if (line == NULL || line - data - 1 > (ptrdiff_t)FUZZ_NAME_BYTES_MAX || memchr(data + 1, 0, (size_t)(line - data - 1)))
        return 0;
    size_t name_size = (size_t)(line - data - 1), query_size = size - name_size - 2, room = data[0];
    memcpy(name, data + 1, name_size);
    name[name_size] = '\0';
    uint8_t *query = malloc(query_size + 1); /* exact allocations: a step outside is seen */
    char *out = malloc(room + 1), *large = malloc(query_size + 1);
    assert(query != NULL && out != NULL && large != NULL);
    memcpy(query, line + 1, query_size);
    int found = net_query_find(slice_of(query, query_size), name, out, room);
    int found_large = net_query_find(slice_of(query, query_size), name, large, query_size + 1);
    assert(found == -1 || (found >= 0 && (size_t)found < room && out[found] == '\0'));
    assert(found == -1 || (found == found_large && memcmp(out, large, (size_t)found + 1) == 0));
    assert(found_large <= (int)query_size); /* decoding never makes it longer */
    free(large);
    free(out);
    free(query);
    return 0;
}

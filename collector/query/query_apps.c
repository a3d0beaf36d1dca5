#include "collector/query/query_internal.h"

enum query_status query_apps(struct query *self, struct buf *out)
{
    struct json json;
    struct store_app_row row;
    if (!query_begin(self))
        return QUERY_FAILED;
    json_init(&json, out);
    json_object(&json, NULL);
    json_array(&json, "apps");
    store_reader_find_apps(self->index);
    while (store_reader_next_app(self->index, &row)) {
        json_object(&json, NULL);
        json_text(&json, "app", row.name);
        json_int(&json, "views", (int64_t)row.views);
        query_write_us(&json, "first_seen_unix_ms", (int64_t)row.first_seen_us);
        query_write_us(&json, "last_seen_unix_ms", (int64_t)row.last_seen_us);
        json_object_end(&json);
    }
    json_array_end(&json);
    json_object_end(&json);
    return query_end(self, out, true);
}

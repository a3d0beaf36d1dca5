#include "collector/dashboard/dashboard.h"

#include "collector/dashboard/dashboard_files.h"

/*
 * Everything shown comes from visitors' browsers and from spans: attacker text. The page builds its DOM by textContent
 * only, and this policy holds even where it would not.
 */
static const struct net_header headers[] = {
    {"Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
                                "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"Referrer-Policy", "no-referrer"},
    {"Cache-Control", "no-cache"},
};

static const struct dashboard_file *dashboard_find(struct slice path)
{
    for (size_t i = 0; i < dashboard_file_count; i++)
        if (slice_equal(path, slice_text(dashboard_files[i].path)))
            return &dashboard_files[i];
    return NULL;
}

void dashboard_handle(void *context, struct net_exchange *exchange)
{
    (void)context;
    struct slice path = net_exchange_path(exchange);
    if (slice_equal(path, slice_text("/")))
        path = slice_text("/index.html");
    const struct dashboard_file *file = dashboard_find(path);
    if (file == NULL) {
        net_reply_error(exchange, 404, "not_found", "no such page; the dashboard is at /");
        return;
    }
    struct net_answer answer = {
        .status = 200,
        .content_type = file->content_type,
        .body = slice_of(file->data, file->size),
        .headers = headers,
        .header_count = sizeof headers / sizeof headers[0],
    };
    net_reply(exchange, &answer);
}

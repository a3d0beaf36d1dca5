#include "collector/app_tls.h"

#include <stdio.h>

bool app_tls_start(const struct config *config, struct counters *counters, struct stream_tls **tls, char *error,
                   size_t error_size)
{
    *tls = NULL;
    if (!config_has_tls(config))
        return true;
    *tls = stream_tls_new(&(struct stream_tls_options){.certificate = config->text[CONFIG_TLS_CERTIFICATE],
                                                       .key = config->text[CONFIG_TLS_KEY],
                                                       .counters = counters},
                          error, error_size);
    return *tls != NULL;
}

struct stream_tls *app_tls_of(struct stream_tls *tls, const struct config *config, enum config_setting listener)
{
    return config_is_tls(config, listener) ? tls : NULL;
}

void app_tls_format_url(char out[APP_URL_BYTES_MAX], const struct config *config, enum config_setting listener,
                        unsigned port)
{
    const char *listen = config->text[listener], *scheme = config_is_tls(config, listener) ? "https" : "http";
    const char *colon = strrchr(listen, ':');
    size_t host = colon == NULL ? 0 : (size_t)(colon - listen);
    if (stream_address_is_local(listen))
        snprintf(out, APP_URL_BYTES_MAX, "%.*s", (int)APP_URL_BYTES_MAX - 1, listen);
    else if (host == 0) /* any address */
        snprintf(out, APP_URL_BYTES_MAX, "%s://localhost:%u", scheme, port);
    else
        snprintf(out, APP_URL_BYTES_MAX, "%s://%.*s:%u", scheme, (int)(host > 256 ? 256 : host), listen, port);
}

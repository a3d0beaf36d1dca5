/* The certificate as the settings ask for it, and what a listener's address is called. */
#ifndef VITRACE_APP_TLS_H
#define VITRACE_APP_TLS_H

#include "collector/config.h"
#include "collector/stream/stream.h"

#define APP_URL_BYTES_MAX 320u

/* *tls is NULL when there is none to be. false: `error` says which file and why. */
bool app_tls_start(const struct config *config, struct counters *counters, struct stream_tls **tls, char *error,
                   size_t error_size);
/* The certificate for this listener; NULL = plain. */
struct stream_tls *app_tls_of(struct stream_tls *tls, const struct config *config, enum config_setting listener);
/* "http://127.0.0.1:4319", "https://...", "unix:/PATH": the address as configured, with the port as bound. */
void app_tls_format_url(char out[APP_URL_BYTES_MAX], const struct config *config, enum config_setting listener,
                        unsigned port);

#endif

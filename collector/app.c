/*
 *   public  --POST /v1/beacon--> ingest --append--> log --> sinks --> index --> api --> admin
 *   otlp    --POST /v1/traces--> otlp ----append----^
 *   grpc    --Export-----------> otlp ----append----^
 *
 * Start: folder lock -> log (recovers) -> sinks -> ingest and otlp, which are told what is stored already -> listeners.
 * Stop:  all listeners drain together -> grpc, public and otlp end (what they carry needs the log) -> admin -> sinks -> log.
 */
#include "collector/app.h"

#include "collector/api/api.h"
#include "collector/app_assets.h"
#include "collector/app_capacity.h"
#include "collector/app_lock.h"
#include "collector/app_notify.h"
#include "collector/app_sandbox.h"
#include "collector/app_sockets.h"
#include "collector/app_tls.h"
#include "collector/auth/auth.h"
#include "collector/base/diag.h"
#include "collector/base/json.h"
#include "collector/dashboard/dashboard.h"
#include "collector/grpc/grpc.h"
#include "collector/health/health.h"
#include "collector/log/log.h"
#include "collector/otlp/otlp.h"
#include "collector/sinks/sinks.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define APP_PATH_BYTES_MAX      (CONFIG_TEXT_BYTES_MAX + 64u)
#define APP_OTLP_BODY_BYTES_MAX OTLP_REQUEST_BYTES_MAX

static const enum config_setting app_listener_settings[APP_LISTENERS] = {CONFIG_LISTEN, CONFIG_OTLP_HTTP, CONFIG_ADMIN};
static const char *const app_listener_names[APP_LISTENERS] = {"listen", "otlp_http", "admin"};

struct app {
    struct counters counters;
    struct memory memory;
    struct rejects *rejects;
    char data[CONFIG_TEXT_BYTES_MAX];
    int lock, notify; /* -1 = none */
    unsigned drain_ms;
    struct assets assets;
    struct health health;
    struct log *log;
    struct tally *duplicates;
    struct sinks *sinks;
    struct ingest *ingest;
    struct otlp *otlp;
    struct api *api;
    struct auth *auth;
    struct auth_door api_door, metrics_door;
    struct stream_tls *tls; /* NULL = none configured */
    bool admin_is_loopback; /* looked up at start: the sandbox has no resolver */
    struct net_route public_routes[2 + ASSETS_COUNT], otlp_routes[2], admin_routes[5];
    struct net *net[APP_LISTENERS];
    char url[APP_LISTENERS][APP_URL_BYTES_MAX];
    struct grpc_method grpc_method;
    struct grpc *grpc; /* NULL: configured to be none */
    char grpc_url[APP_URL_BYTES_MAX];
};

static void app_path(char out[APP_PATH_BYTES_MAX], const struct app *self, const char *name)
{
    snprintf(out, APP_PATH_BYTES_MAX, "%s/%s", self->data, name);
}

static bool app_lock_folder(struct app *self, const struct config *config, char *error, size_t error_size)
{
    self->lock = app_lock_take(self->data, config_lock_wait_ms(config), error, error_size);
    return self->lock >= 0;
}

static bool app_open_log(struct app *self, const struct config *config, char *error, size_t error_size)
{
    char folder[APP_PATH_BYTES_MAX];
    app_path(folder, self, "log");
    self->log = log_open(&(struct log_options){.folder = folder,
                                               .retention_us = config_retention_us(config),
                                               .bytes_max = config_log_bytes_max(config),
                                               .counters = &self->counters,
                                               .memory = &self->memory},
                         error, error_size);
    return self->log != NULL;
}

static uint64_t app_durable(const void *log)
{
    return log_durable_position(log);
}

static bool app_start_sinks(struct app *self, const struct config *config, char *error, size_t error_size)
{
    char index[APP_PATH_BYTES_MAX];
    app_path(index, self, "index.sqlite");
    self->duplicates = tally_new(&self->memory);
    if (self->duplicates == NULL) {
        snprintf(error, error_size, "out of memory");
        return false;
    }
    self->sinks = sinks_start(&(struct sinks_options){.log = self->log,
                                                      .store_path = index,
                                                      .counters = &self->counters,
                                                      .memory = &self->memory,
                                                      .join_bytes = app_capacity_join_bytes(config),
                                                      .index_bytes = app_capacity_index_bytes(config),
                                                      .retention_us = config_retention_us(config),
                                                      .duplicates = self->duplicates},
                              error, error_size);
    self->health.durable = app_durable;
    self->health.durable_context = self->log;
    atomic_store(&self->health.index_runs, self->sinks != NULL);
    return self->sinks != NULL;
}

static bool app_start_api(struct app *self, char *error, size_t error_size)
{
    char index[APP_PATH_BYTES_MAX];
    app_path(index, self, "index.sqlite");
    self->api = api_new(&(struct api_options){.log = self->log, .store_path = index, .rejects = self->rejects}, error, error_size);
    return self->api != NULL;
}

static void app_remember(void *ingest, const uint8_t view_id[16], uint32_t seq)
{
    ingest_remember(ingest, view_id, seq);
}

static struct ingest_rate_limits app_rate_limits(const struct config *config)
{
    const uint32_t *limit = config->limit;
    return (struct ingest_rate_limits){
        .ip = {limit[CONFIG_LIMIT_IP_PER_SECOND], limit[CONFIG_LIMIT_IP_BURST]},
        .app = {limit[CONFIG_LIMIT_APP_PER_SECOND], limit[CONFIG_LIMIT_APP_BURST]},
        .global = {limit[CONFIG_LIMIT_GLOBAL_PER_SECOND], limit[CONFIG_LIMIT_GLOBAL_BURST]},
    };
}

static struct ingest_options app_ingest_options(struct app *self, const struct config *config)
{
    return (struct ingest_options){.apps = config->app,
                                   .app_count = config->app_count,
                                   .sink = {self->log, log_take},
                                   .counters = &self->counters,
                                   .memory = &self->memory,
                                   .limits = app_rate_limits(config),
                                   .trusted_proxies = config->trusted_proxies,
                                   .duplicates = self->duplicates};
}

static bool app_start_ingest(struct app *self, const struct config *config, char *error, size_t error_size)
{
    char index[APP_PATH_BYTES_MAX];
    const struct ingest_options options = app_ingest_options(self, config);
    self->ingest = ingest_new(&options);
    self->otlp = otlp_new(options.sink, &self->counters, &self->memory);
    if (self->ingest == NULL || self->otlp == NULL) {
        snprintf(error, error_size, "out of memory");
        return false;
    }
    app_path(index, self, "index.sqlite");
    if (!sinks_replay_headers(self->log, index, app_remember, self->ingest))
        diag(DIAG_WARNING, "replay_incomplete",
             "the log could not be read to its end: a beacon sent again may be stored twice");
    return true;
}

/* Beyond this machine the dashboard shows what people did to whoever asks: never without a token. */
static bool app_check_admin(const struct config *config, bool is_loopback, char *error, size_t error_size)
{
    if (config->admin_tokens.count > 0 || config->admin_jwt.enabled || is_loopback)
        return true;
    snprintf(error, error_size,
             "admin: %s can be reached from other machines, and there are neither admin_tokens nor admin_jwt: make a token with 'vitrace token "
             "new' and put its hash into the configuration file, or listen on 127.0.0.1",
             config->text[CONFIG_ADMIN]);
    return false;
}

static void app_find_client(void *context, const struct net_exchange *exchange, uint8_t out[16])
{
    const struct app *self = context;
    ingest_find_client(self->ingest, exchange, out);
}

/* *jwt: the verifier that the settings ask for, NULL = none. false: the key cannot be used. */
static bool app_open_jwt(const struct config *config, struct jwt **jwt, char *error, size_t error_size)
{
    char why[APP_PATH_BYTES_MAX + 128];
    *jwt = config->admin_jwt.enabled ? jwt_new(&config->admin_jwt, why, sizeof why) : NULL;
    if (*jwt == NULL && config->admin_jwt.enabled)
        snprintf(error, error_size, "admin_jwt: %s", why);
    return *jwt != NULL || !config->admin_jwt.enabled;
}

/* Takes `jwt` over. */
static void app_set_auth(struct app *self, const struct config *config, struct jwt *jwt)
{
    auth_set(self->auth, &(struct auth_policy){.hashes = config->admin_tokens,
                                               .jwt = jwt,
                                               .failures_per_minute = config->limit[CONFIG_LIMIT_ADMIN_FAILURES_PER_MINUTE],
                                               .failures_burst = config->limit[CONFIG_LIMIT_ADMIN_FAILURES_BURST]});
}

static bool app_start_auth(struct app *self, const struct config *config, char *error, size_t error_size)
{
    struct jwt *jwt;
    self->auth = auth_new(&(struct auth_options){&self->counters, app_find_client, self});
    self->metrics_door = (struct auth_door){self->auth, health_handle_metrics, &self->health};
    self->api_door = (struct auth_door){self->auth, api_handle, self->api};
    if (self->auth == NULL) {
        snprintf(error, error_size, "out of memory");
        return false;
    }
    if (!app_open_jwt(config, &jwt, error, error_size))
        return false;
    app_set_auth(self, config, jwt);
    return true;
}

static void app_fill_routes(struct app *self)
{
    self->public_routes[0] =
        (struct net_route){NET_POST | NET_OPTIONS, "/v1/beacon", ingest_handle, self->ingest, INGEST_BODY_BYTES_MAX};
    self->public_routes[1] = (struct net_route){NET_GET | NET_HEAD, "/healthz", health_handle_live, &self->health, 0};
    for (unsigned i = 0; i < ASSETS_COUNT; i++)
        self->public_routes[2 + i] = (struct net_route){NET_GET | NET_HEAD, self->assets.asset[i].path, assets_handle,
                                                        &self->assets.asset[i], 0};
    self->otlp_routes[0] = (struct net_route){NET_POST, "/v1/traces", otlp_handle, self->otlp, APP_OTLP_BODY_BYTES_MAX};
    self->otlp_routes[1] = (struct net_route){NET_GET | NET_HEAD, "/healthz", health_handle_live, &self->health, 0};
    self->admin_routes[0] = (struct net_route){NET_GET | NET_HEAD, "/healthz", health_handle_live, &self->health, 0};
    self->admin_routes[1] = (struct net_route){NET_GET | NET_HEAD, "/readyz", health_handle_ready, &self->health, 0};
    self->admin_routes[2] = (struct net_route){NET_GET | NET_HEAD, "/metrics", auth_handle, &self->metrics_door, 0};
    self->admin_routes[3] = (struct net_route){NET_GET | NET_HEAD, API_PATH, auth_handle, &self->api_door, 0};
    self->admin_routes[4] = (struct net_route){NET_GET | NET_HEAD, "/*", dashboard_handle, NULL, 0};
}

/* Every client of a Unix socket is a proxy's, and only X-Forwarded-For tells one from the other. */
static void app_warn_of_proxies(const struct config *config)
{
    if (stream_address_is_local(config->text[CONFIG_LISTEN]) && config->trusted_proxies == 0)
        diag(DIAG_WARNING, "clients_unknown",
             "listen is a Unix socket, and trusted_proxies is 0: nobody has an address, so the limits of one address "
             "hold for nobody");
}

static const char *app_environment(const char *name)
{
    return getenv(name);
}

static bool app_listen(struct app *self, const struct config *config, enum app_listener which, char *error,
                       size_t error_size)
{
    const struct {
        const struct net_route *routes;
        size_t count;
    } table[APP_LISTENERS] = {
        [APP_PUBLIC] = {self->public_routes, sizeof self->public_routes / sizeof self->public_routes[0]},
        [APP_OTLP] = {self->otlp_routes, sizeof self->otlp_routes / sizeof self->otlp_routes[0]},
        [APP_ADMIN] = {self->admin_routes, sizeof self->admin_routes / sizeof self->admin_routes[0]},
    };
    const char *listen = config->text[app_listener_settings[which]];
    /* Not the admin listener's: whether it may be open without tokens is judged by the address in the settings. */
    int inherited = which == APP_ADMIN ? 0 : app_sockets_find(app_listener_names[which], app_environment);
    self->net[which] = net_start(&(struct net_options){.listen = listen,
                                                       .tls = app_tls_of(self->tls, config, app_listener_settings[which]),
                                                       .socket = inherited,
                                                       .threads = app_capacity_threads(which),
                                                       .routes = table[which].routes,
                                                       .route_count = table[which].count,
                                                       .counters = &self->counters,
                                                       .memory = &self->memory,
                                                       .rejects = self->rejects,
                                                       .connections_max = app_capacity_connections(config, which),
                                                       .connections_per_peer_max =
                                                           app_capacity_per_peer(config, which),
                                                       .hosts_checked = which == APP_ADMIN,
                                                       .hosts = config->admin_hosts,
                                                       .host_count = config->admin_host_count},
                                 error, error_size);
    if (inherited != 0)
        close(inherited);
    if (self->net[which] == NULL)
        return false;
    app_tls_format_url(self->url[which], config, app_listener_settings[which], net_port(self->net[which]));
    return true;
}

static bool app_listen_grpc(struct app *self, const struct config *config, char *error, size_t error_size)
{
    const char *listen = config->text[CONFIG_OTLP_GRPC];
    if (listen[0] == '\0')
        return true;
    self->grpc_method = (struct grpc_method){OTLP_EXPORT_METHOD, otlp_call, self->otlp, OTLP_REQUEST_BYTES_MAX};
    int inherited = app_sockets_find("otlp_grpc", app_environment);
    self->grpc = grpc_start(&(struct grpc_options){.listen = listen,
                                                   .socket = inherited,
                                                   .tls = app_tls_of(self->tls, config, CONFIG_OTLP_GRPC),
                                                   .methods = &self->grpc_method,
                                                   .method_count = 1,
                                                   .counters = &self->counters,
                                                   .memory = &self->memory,
                                                   .rejects = self->rejects,
                                                   .connections_max = APP_CAPACITY_GRPC},
                            error, error_size);
    if (inherited != 0)
        close(inherited);
    if (self->grpc == NULL)
        return false;
    app_tls_format_url(self->grpc_url, config, CONFIG_OTLP_GRPC, grpc_port(self->grpc));
    return true;
}

static bool app_write_file(const char *path, struct slice text)
{
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    bool good = file >= 0 && write(file, text.data, text.size) == (ssize_t)text.size;
    if (file >= 0)
        good = close(file) == 0 && good;
    return good;
}

/* For scripts that asked for port 0. Whole or not there: written beside and renamed. */
static void app_write_addresses(const struct app *self)
{
    char path[APP_PATH_BYTES_MAX], fresh[APP_PATH_BYTES_MAX];
    struct buf text;
    struct json json;
    buf_init(&text, 4096);
    json_init(&json, &text);
    json_object(&json, NULL);
    for (unsigned i = 0; i < APP_LISTENERS; i++)
        json_text(&json, app_listener_names[i], slice_text(self->url[i]));
    if (self->grpc != NULL)
        json_text(&json, "otlp_grpc", slice_text(self->grpc_url));
    json_int(&json, "pid", getpid());
    json_object_end(&json);
    buf_add_text(&text, "\n");
    app_path(path, self, "addresses.json");
    app_path(fresh, self, "addresses.json.new");
    if (text.failed || !app_write_file(fresh, buf_slice(&text)) || rename(fresh, path) != 0)
        diag(DIAG_WARNING, "addresses_unwritten", "%s: %s", path, strerror(errno));
    buf_release(&text);
}

static bool app_start_all(struct app *self, const struct config *config, char *error, size_t error_size)
{
    self->admin_is_loopback = auth_listen_is_loopback(config->text[CONFIG_ADMIN]);
    if (!app_check_admin(config, self->admin_is_loopback, error, error_size) || !app_sandbox_begin(config, error, error_size) ||
        !app_lock_folder(self, config, error, error_size) || !app_assets_load(&self->assets, config, error, error_size) ||
        !app_sandbox_enclose(config, error, error_size) ||
        !app_tls_start(config, &self->counters, &self->tls, error, error_size) || !app_open_log(self, config, error, error_size) || !app_start_sinks(self, config, error, error_size) ||
        !app_start_api(self, error, error_size) || !app_start_auth(self, config, error, error_size) ||
        !app_start_ingest(self, config, error, error_size) || !app_capacity_divide(&self->memory, error, error_size))
        return false;
    app_fill_routes(self);
    for (unsigned i = 0; i < APP_LISTENERS; i++)
        if (!app_listen(self, config, (enum app_listener)i, error, error_size))
            return false;
    return app_listen_grpc(self, config, error, error_size) && app_sandbox_seal(config, error, error_size);
}

struct app *app_start(const struct config *config, char *error, size_t error_size)
{
    struct app *self = calloc(1, sizeof *self);
    if (self == NULL) {
        snprintf(error, error_size, "out of memory");
        return NULL;
    }
    self->lock = -1;
    self->rejects = rejects_new(); /* without memory for them they are counted only */
    self->notify = app_notify_open(app_environment);
    self->drain_ms = config_drain_ms(config);
    memcpy(self->data, config->text[CONFIG_DATA], sizeof self->data);
    memory_init(&self->memory, config_memory(config));
    health_init(&self->health, &self->counters, self->data);
    self->health.memory = &self->memory;
    if (!app_start_all(self, config, error, error_size)) {
        app_stop(self);
        return NULL;
    }
    atomic_store(&self->health.started, true);
    app_write_addresses(self);
    app_warn_of_proxies(config);
    diag(DIAG_INFO, "ready", "listen %s otlp_http %s otlp_grpc %s admin %s", self->url[APP_PUBLIC], self->url[APP_OTLP],
         self->grpc != NULL ? self->grpc_url : "none", self->url[APP_ADMIN]);
    app_notify_ready(self->notify);
    return self;
}

static bool app_hosts_are_same(const struct config *a, const struct config *b)
{
    bool same = a->admin_host_count == b->admin_host_count;
    for (size_t i = 0; same && i < a->admin_host_count; i++)
        same = strcmp(a->admin_hosts[i], b->admin_hosts[i]) == 0;
    return same;
}

/* The listeners' own limits, and every setting: files, addresses and threads are made from them once. */
static void app_keep_running(const struct config *current, struct config *fresh)
{
    static const enum config_limit fixed[] = {CONFIG_LIMIT_CONNECTIONS, CONFIG_LIMIT_CONNECTIONS_PER_IP};
    for (unsigned i = 0; i < CONFIG_SETTING_COUNT; i++) {
        if (strcmp(current->text[i], fresh->text[i]) == 0)
            continue;
        diag(DIAG_WARNING, "restart_needed", "%s: '%s' counts after a restart; '%s' runs", config_rows[i].key,
             fresh->text[i], current->text[i]);
        memcpy(fresh->text[i], current->text[i], sizeof fresh->text[i]);
    }
    if (!app_hosts_are_same(current, fresh))
        diag(DIAG_WARNING, "restart_needed", "admin_hosts: the new names count after a restart");
    for (unsigned i = 0; i < sizeof fixed / sizeof fixed[0]; i++) {
        if (current->limit[fixed[i]] != fresh->limit[fixed[i]])
            diag(DIAG_WARNING, "restart_needed", "limits: %s: %u counts after a restart; %u runs",
                 config_limit_rows[fixed[i]].key, fresh->limit[fixed[i]], current->limit[fixed[i]]);
        fresh->limit[fixed[i]] = current->limit[fixed[i]];
    }
}

static bool app_apply(struct app *self, const struct config *current, struct config *fresh, char *error,
                      size_t error_size)
{
    const struct ingest_options options = app_ingest_options(self, fresh);
    struct jwt *jwt;
    if (!app_check_admin(fresh, self->admin_is_loopback, error, error_size) ||
        (self->tls != NULL && !stream_tls_read(self->tls, error, error_size)) ||
        !app_open_jwt(fresh, &jwt, error, error_size))
        return false;
    if (!ingest_set_policy(self->ingest, &options)) {
        snprintf(error, error_size, "out of memory");
        jwt_free(jwt);
        return false;
    }
    app_set_auth(self, fresh, jwt);
    if (self->tls != NULL)
        stream_tls_apply(self->tls);
    app_keep_running(current, fresh);
    return true;
}

bool app_reload(struct app *self, const struct config *current, struct config *fresh, char *error, size_t error_size)
{
    app_notify_reloading(self->notify);
    bool applied = app_apply(self, current, fresh, error, error_size);
    app_notify_ready(self->notify); /* it runs on, also with what it had */
    return applied;
}

static void app_remove_addresses(const struct app *self)
{
    char path[APP_PATH_BYTES_MAX];
    app_path(path, self, "addresses.json");
    unlink(path);
}

/* Nobody is refused while the others settle: whoever comes then waits for the successor, from the first stop on. */
static void app_stop_listeners(struct app *self)
{
    if (self->grpc != NULL)
        grpc_drain(self->grpc, self->drain_ms);
    for (unsigned i = 0; i < APP_LISTENERS; i++)
        if (self->net[i] != NULL)
            net_drain(self->net[i], self->drain_ms);
    if (self->grpc != NULL)
        grpc_settle(self->grpc);
    for (unsigned i = 0; i < APP_LISTENERS; i++)
        if (self->net[i] != NULL)
            net_settle(self->net[i]);
    if (self->grpc != NULL)
        grpc_stop(self->grpc, self->drain_ms);
    for (unsigned i = 0; i < APP_LISTENERS; i++) /* in this order: the admin listener answers /readyz to the end */
        if (self->net[i] != NULL)
            net_stop(self->net[i], self->drain_ms);
}

void app_stop(struct app *self)
{
    atomic_store(&self->health.stopping, true);
    app_notify_stopping(self->notify);
    if (atomic_load(&self->health.started))
        app_remove_addresses(self);
    app_stop_listeners(self);
    stream_tls_free(self->tls);
    if (self->api != NULL)
        api_free(self->api);
    if (self->sinks != NULL)
        sinks_stop(self->sinks);
    if (self->log != NULL)
        log_close(self->log);
    otlp_free(self->otlp);
    ingest_free(self->ingest);
    tally_free(self->duplicates);
    rejects_free(self->rejects);
    auth_free(self->auth);
    assets_release(&self->assets);
    health_release(&self->health);
    if (self->lock >= 0)
        close(self->lock);
    if (self->notify >= 0)
        close(self->notify);
    memory_release(&self->memory);
    free(self);
}

bool app_check(const struct config *config, char *error, size_t error_size)
{
    struct assets assets;
    const struct net_route none = {NET_GET, "/healthz", health_handle_live, NULL, 0};
    struct counters counters = {0};
    struct stream_tls *tls;
    struct jwt *jwt;
    if (!app_check_admin(config, auth_listen_is_loopback(config->text[CONFIG_ADMIN]), error, error_size) ||
        !app_open_jwt(config, &jwt, error, error_size))
        return false;
    jwt_free(jwt);
    if (!app_tls_start(config, &counters, &tls, error, error_size))
        return false;
    stream_tls_free(tls);
    if (!app_assets_load(&assets, config, error, error_size))
        return false;
    assets_release(&assets);
    if (access(config->text[CONFIG_DATA], F_OK) == 0 &&
        access(config->text[CONFIG_DATA], R_OK | W_OK | X_OK) != 0) {
        snprintf(error, error_size, "%s: %s", config->text[CONFIG_DATA], strerror(errno));
        return false;
    }
    for (unsigned i = 0; i < APP_LISTENERS; i++) {
        const char *listen = config->text[app_listener_settings[i]];
        struct net *net =
            net_start(&(struct net_options){.listen = listen, .routes = &none, .route_count = 1, .counters = &counters},
                      error, error_size);
        if (net == NULL)
            return false;
        net_stop(net, 0);
    }
    if (config->text[CONFIG_OTLP_GRPC][0] == '\0')
        return true;
    struct grpc *grpc = grpc_start(
        &(struct grpc_options){.listen = config->text[CONFIG_OTLP_GRPC], .counters = &counters}, error, error_size);
    if (grpc != NULL)
        grpc_stop(grpc, 0);
    return grpc != NULL;
}

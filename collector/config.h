/*
 * The daemon's settings. One rule of precedence: flag > VITRACE_* environment > YAML file > default. The file may hold
 *
 *   data: /var/lib/vitrace        listen: 127.0.0.1:4319       admin: unix:/run/vitrace/admin.sock
 *   otlp_http: 127.0.0.1:4318     sdk: /usr/share/vitrace/sdk
 *   retention_days: 30            log_bytes_max: 20G            memory: 96M
 *   drain_seconds: 5              lock_wait_seconds: 0
 *   apps:
 *     - name: shop
 *       origins: ["https://shop.example", "https://admin.shop.example:8443"]
 *       keys: [write-key-2026-autumn, write-key-2026-summer]      # optional: beacons must then name one, ?k=KEY
 *   limits:                       # see CONFIG_LIMITS; 0 = no limit
 *     ip_per_second: 1000
 *   trusted_proxies: 1            # of our own, each adding to X-Forwarded-For; 0 = the header is not looked at
 *   admin_hosts: [rum.internal]   # names, beyond addresses and localhost, under which the dashboard is reached
 *   user: vitrace                 sandbox: on
 *   tls_certificate: /etc/letsencrypt/live/rum.example/fullchain.pem      tls_key: .../privkey.pem
 *   tls_listeners: listen, otlp_grpc                                      # which speak TLS; the others stay plain
 *   admin_tokens: ["<SHA-256 of a token, 64 hex digits: vitrace token new>"]
 *   admin_jwt:                    # tokens of an identity provider, see auth/jwt.h
 *     algorithm: RS256            # the default; or HS256, ES256, EdDSA
 *     key_file: /etc/vitrace/jwt.pem
 *     audience: vitrace
 *     issuer: https://login.example   # optional
 *
 * and nothing else: an unknown key is an error with its line, because a misspelled one would otherwise be a silent default.
 */
#ifndef VITRACE_CONFIG_H
#define VITRACE_CONFIG_H

#include "collector/auth/auth.h"
#include "collector/ingest/ingest.h"

#define CONFIG_TEXT_BYTES_MAX 1024u
#define CONFIG_APPS_MAX       256u
#define CONFIG_ORIGINS_MAX    64u /* of one app */
#define CONFIG_FILE_BYTES_MAX (1u << 20)

#define CONFIG_RETENTION_DAYS_MAX 3650u
#define CONFIG_DRAIN_SECONDS_MAX     600u
#define CONFIG_LOCK_WAIT_SECONDS_MAX 3600u
#define CONFIG_LOG_BYTES_LEAST    (UINT64_C(256) << 20) /* four segments */
#define CONFIG_LOG_BYTES_MOST     (UINT64_C(4) << 40)   /* what the log's table of segments holds */
/*
 * Of the default 96 MiB: tables of fixed size 11 (duplicates 8, rates 2), the joiner's window 24, the index 18, the log 15
 * (three readers that may meet a record of 4 MiB); what is left, 28, is for clients. At the least, 64, that is 9.
 */
#define CONFIG_MEMORY_LEAST       (UINT64_C(64) << 20)
#define CONFIG_MEMORY_MOST        (UINT64_C(64) << 30)

/* S(ID, key in the file and, with '-' for '_', of the flag, environment variable, default, help) */
#define CONFIG_SETTINGS(S)                                                                                             \
    S(DATA, "data", "VITRACE_DATA", "./vitrace-data", "folder of the log and the index")                               \
    S(LISTEN, "listen", "VITRACE_LISTEN", "127.0.0.1:4319", "address for pages: beacons and the SDK files")            \
    S(ADMIN, "admin", "VITRACE_ADMIN", "127.0.0.1:4320", "address for people: dashboard, API, metrics, health")        \
    S(OTLP_HTTP, "otlp_http", "VITRACE_OTLP_HTTP", "127.0.0.1:4318", "address for backends: OTLP/HTTP traces")         \
    S(OTLP_GRPC, "otlp_grpc", "VITRACE_OTLP_GRPC", "127.0.0.1:4317", "address for backends: OTLP/gRPC traces; '' = none") \
    S(RETENTION_DAYS, "retention_days", "VITRACE_RETENTION_DAYS", "30", "days that beacons and spans are kept")         \
    S(LOG_BYTES_MAX, "log_bytes_max", "VITRACE_LOG_BYTES_MAX", "20G", "bytes of the log on disk, K, M, G, T; the oldest go first") \
    S(MEMORY, "memory", "VITRACE_MEMORY", "96M", "bytes of memory that clients can make it use, M, G; see /metrics")   \
    S(DRAIN_SECONDS, "drain_seconds", "VITRACE_DRAIN_SECONDS", "5", "at a stop: longest time for clients to finish and leave") \
    S(LOCK_WAIT_SECONDS, "lock_wait_seconds", "VITRACE_LOCK_WAIT_SECONDS", "0",                                        \
      "at a start: wait so long for another vitrace to leave the data folder")                                         \
    S(TLS_CERTIFICATE, "tls_certificate", "VITRACE_TLS_CERTIFICATE", "", "PEM file: the certificate, then its chain; '' = no TLS") \
    S(TLS_KEY, "tls_key", "VITRACE_TLS_KEY", "", "PEM file: its key, without a passphrase")                             \
    S(TLS_LISTENERS, "tls_listeners", "VITRACE_TLS_LISTENERS", "listen", "of listen, otlp_http, otlp_grpc, admin: which speak TLS, where there is a certificate") \
    S(USER, "user", "VITRACE_USER", "", "user to become when started as root")                                         \
    S(SANDBOX, "sandbox", "VITRACE_SANDBOX", "on", "on or off: Landlock and seccomp, where the kernel has them")        \
    S(SDK, "sdk", "VITRACE_SDK", "", "folder of the SDK files (default: where they were installed or built)")
#define CONFIG_ENUM(id, key, environment, fallback, help) CONFIG_##id,
enum config_setting { CONFIG_SETTINGS(CONFIG_ENUM) CONFIG_SETTING_COUNT };

/*
 * L(ID, key under `limits:`, default, largest, help). The defaults are what no normal site meets:
 *   one address   a carrier's NAT with 5,000 active readers, each page sending a beacon every 5 s = 1,000/s; a burst of
 *                 two beacons from each of them at once (leaving a page sends one) = 10,000
 *   one app       50,000/s: what one core stores
 *   all           100,000/s: more than the log's one writer takes; beyond it, refusing early keeps memory flat
 *   admin         a dashboard left open with a token that has expired asks 7 times at once; a scraper with an old one four
 *                 times a minute. A guess every 10 s finds nothing
 *   connections   10,000 x 1 KiB when idle; over TLS a session of 15 KiB each, and a record of 18 KiB when not idle. `memory`
 *                 bounds them, and what their requests take; a tenth for one address
 */
#define CONFIG_LIMITS(L)                                                                                               \
    L(IP_PER_SECOND, "ip_per_second", 1000, 1000000, "beacons a second from one address (an IPv6 /64)")                \
    L(IP_BURST, "ip_burst", 10000, 10000000, "beacons at once from one address")                                       \
    L(APP_PER_SECOND, "app_per_second", 50000, 1000000, "beacons a second of one configured app")                      \
    L(APP_BURST, "app_burst", 100000, 10000000, "beacons at once of one configured app")                               \
    L(GLOBAL_PER_SECOND, "global_per_second", 100000, 1000000, "beacons a second in all")                              \
    L(GLOBAL_BURST, "global_burst", 200000, 10000000, "beacons at once in all")                                        \
    L(CONNECTIONS, "connections", 10000, 1000000, "open connections of the public listener")                           \
    L(CONNECTIONS_PER_IP, "connections_per_ip", 1000, 60000, "of them, from one address; not applied behind proxies")  \
    L(ADMIN_FAILURES_PER_MINUTE, "admin_failures_per_minute", 6, 60000, "wrong admin tokens a minute from one address") \
    L(ADMIN_FAILURES_BURST, "admin_failures_burst", 30, 60000, "wrong admin tokens at once from one address")
#define CONFIG_LIMIT_ENUM(id, key, fallback, most, help) CONFIG_LIMIT_##id,
enum config_limit { CONFIG_LIMITS(CONFIG_LIMIT_ENUM) CONFIG_LIMIT_COUNT };

struct config_limit_row {
    const char *key, *help;
    uint32_t fallback, most;
};
extern const struct config_limit_row config_limit_rows[CONFIG_LIMIT_COUNT];

#define CONFIG_KEYS_MAX            8u /* of an app: two live ones, and time to rotate */
#define CONFIG_ADMIN_HOSTS_MAX     16u
#define CONFIG_TRUSTED_PROXIES_MAX 16u

struct config_row {
    const char *key, *environment, *fallback, *help;
};
extern const struct config_row config_rows[CONFIG_SETTING_COUNT];

/* Where a setting's value is from; the later one wins. */
enum config_origin { CONFIG_FROM_DEFAULT, CONFIG_FROM_FILE, CONFIG_FROM_ENVIRONMENT, CONFIG_FROM_FLAG };

struct config {
    char text[CONFIG_SETTING_COUNT][CONFIG_TEXT_BYTES_MAX];
    enum config_origin origin[CONFIG_SETTING_COUNT];
    const char *file; /* as given in config_input; NULL = none */
    struct ingest_app app[CONFIG_APPS_MAX]; /* owns its texts */
    size_t app_count;
    uint32_t limit[CONFIG_LIMIT_COUNT];
    uint32_t trusted_proxies;
    const char *const *admin_hosts; /* owned, with its texts */
    size_t admin_host_count;
    struct auth_hashes admin_tokens;
    struct jwt_options admin_jwt;
};

struct config_input {
    const char *file;                        /* NULL = none */
    const char *flag[CONFIG_SETTING_COUNT];  /* NULL = not given */
    const char *(*environment)(const char *name); /* getenv, or a test's */
};

/* false: `error` says what, where (FILE:LINE) and what would be right; nothing is left to release. */
bool config_load(struct config *self, const struct config_input *input, char *error, size_t error_size);
void config_release(struct config *self);

/* As checked by config_load(). */
uint64_t config_retention_us(const struct config *self);
uint64_t config_log_bytes_max(const struct config *self);
uint64_t config_memory(const struct config *self);
unsigned config_drain_ms(const struct config *self);
unsigned config_lock_wait_ms(const struct config *self);
bool config_has_tls(const struct config *self);
/* Whether the listener of this setting speaks TLS. */
bool config_is_tls(const struct config *self, enum config_setting listener);

/* config_file.c: the file alone. Fills settings and apps that it names. */
bool config_file_read(struct config *self, const char *path, char *error, size_t error_size);

#endif

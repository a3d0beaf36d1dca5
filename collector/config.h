/*
 * The daemon's settings. One rule of precedence: flag > VITRACE_* environment > YAML file > default. The file may hold
 *
 *   data: /var/lib/vitrace        listen: 127.0.0.1:4319       admin: 127.0.0.1:4320
 *   otlp_http: 127.0.0.1:4318     sdk: /usr/share/vitrace/sdk
 *   retention_days: 30            log_bytes_max: 20G
 *   apps:
 *     - name: shop
 *       origins: ["https://shop.example", "https://admin.shop.example:8443"]
 *   admin_tokens: ["<SHA-256 of a token, 64 hex digits: vitrace token new>"]
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
#define CONFIG_LOG_BYTES_LEAST    (UINT64_C(256) << 20) /* four segments */
#define CONFIG_LOG_BYTES_MOST     (UINT64_C(4) << 40)   /* what the log's table of segments holds */

/* S(ID, key in the file and, with '-' for '_', of the flag, environment variable, default, help) */
#define CONFIG_SETTINGS(S)                                                                                             \
    S(DATA, "data", "VITRACE_DATA", "./vitrace-data", "folder of the log and the index")                               \
    S(LISTEN, "listen", "VITRACE_LISTEN", "127.0.0.1:4319", "address for pages: beacons and the SDK files")            \
    S(ADMIN, "admin", "VITRACE_ADMIN", "127.0.0.1:4320", "address for people: dashboard, API, metrics, health")        \
    S(OTLP_HTTP, "otlp_http", "VITRACE_OTLP_HTTP", "127.0.0.1:4318", "address for backends: OTLP/HTTP traces")         \
    S(RETENTION_DAYS, "retention_days", "VITRACE_RETENTION_DAYS", "30", "days that beacons and spans are kept")         \
    S(LOG_BYTES_MAX, "log_bytes_max", "VITRACE_LOG_BYTES_MAX", "20G", "bytes of the log on disk, K, M, G, T; the oldest go first") \
    S(SDK, "sdk", "VITRACE_SDK", "", "folder of the SDK files (default: where they were installed or built)")
#define CONFIG_ENUM(id, key, environment, fallback, help) CONFIG_##id,
enum config_setting { CONFIG_SETTINGS(CONFIG_ENUM) CONFIG_SETTING_COUNT };

struct config_row {
    const char *key, *environment, *fallback, *help;
};
extern const struct config_row config_rows[CONFIG_SETTING_COUNT];

/* Where a setting's value is from; the later one wins. */
enum config_origin { CONFIG_FROM_DEFAULT, CONFIG_FROM_FILE, CONFIG_FROM_ENVIRONMENT, CONFIG_FROM_FLAG };

struct config {
    char text[CONFIG_SETTING_COUNT][CONFIG_TEXT_BYTES_MAX];
    enum config_origin origin[CONFIG_SETTING_COUNT];
    struct ingest_app app[CONFIG_APPS_MAX]; /* owns its texts */
    size_t app_count;
    struct auth_hashes admin_tokens;
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

/* config_file.c: the file alone. Fills settings and apps that it names. */
bool config_file_read(struct config *self, const char *path, char *error, size_t error_size);

#endif

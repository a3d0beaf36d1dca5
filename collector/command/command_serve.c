/* The daemon: settings, start, wait for a signal, drain. */
#include "collector/command/command.h"

#include "collector/app.h"
#include "collector/base/diag.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#define SERVE_ERROR_BYTES 1024u

struct serve_arguments {
    struct config_input input;
    bool check;
};

static const char *serve_environment(const char *name)
{
    return getenv(name);
}

/* "otlp_http" is given as --otlp-http. */
static bool serve_flag_is(const char *flag, size_t size, const char *key)
{
    if (strlen(key) != size)
        return false;
    for (size_t i = 0; i < size; i++)
        if (flag[i] != (key[i] == '_' ? '-' : key[i]))
            return false;
    return true;
}

static const char **serve_find_flag(struct serve_arguments *self, const char *name, size_t size)
{
    for (unsigned i = 0; i < CONFIG_SETTING_COUNT; i++)
        if (serve_flag_is(name, size, config_rows[i].key))
            return &self->input.flag[i];
    return serve_flag_is(name, size, "config") ? &self->input.file : NULL;
}

/* --flag VALUE or --flag=VALUE. Returns COMMAND_OK, or tells what is wrong. */
static int serve_parse(const struct command *command, struct serve_arguments *self, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--check") == 0) {
            self->check = true;
            continue;
        }
        const char *equals = strchr(argv[i], '=');
        size_t size = equals == NULL ? strlen(argv[i]) : (size_t)(equals - argv[i]);
        const char **value = strncmp(argv[i], "--", 2) == 0 ? serve_find_flag(self, argv[i] + 2, size - 2) : NULL;
        if (value == NULL)
            return command_misused(command, "unknown argument '%s'", argv[i]);
        if (equals == NULL && i + 1 == argc)
            return command_misused(command, "%s needs a value", argv[i]);
        *value = equals == NULL ? argv[++i] : equals + 1;
    }
    return COMMAND_OK;
}

void command_serve_settings(FILE *out)
{
    for (unsigned i = 0; i < CONFIG_SETTING_COUNT; i++) {
        const struct config_row *row = &config_rows[i];
        char flag[64];
        snprintf(flag, sizeof flag, "--%s", row->key);
        for (char *at = flag + 2; *at != '\0'; at++)
            *at = *at == '_' ? '-' : *at;
        fprintf(out, "  %-19s %-25s %s%s%s%s\n", flag, row->environment, row->help,
                row->fallback[0] == '\0' ? "" : " (", row->fallback, row->fallback[0] == '\0' ? "" : ")");
    }
}

/* `stop` ends, `all` also has SIGHUP. Before threads start: they inherit it, and only sigwait sees these. */
static void serve_block_signals(sigset_t *stop, sigset_t *all)
{
    sigemptyset(stop);
    sigaddset(stop, SIGTERM);
    sigaddset(stop, SIGINT);
    *all = *stop;
    sigaddset(all, SIGHUP);
    pthread_sigmask(SIG_BLOCK, all, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static struct config *serve_load(const struct config_input *input, char *error, size_t error_size)
{
    struct config *config = malloc(sizeof *config);
    if (config == NULL)
        snprintf(error, error_size, "out of memory");
    if (config != NULL && config_load(config, input, error, error_size))
        return config;
    free(config);
    return NULL;
}

static void serve_free(struct config *config)
{
    config_release(config);
    free(config);
}

/* The settings that count from now on; on any error, those that counted. */
static struct config *serve_reload(struct app *app, struct config *current, const struct config_input *input)
{
    char error[SERVE_ERROR_BYTES];
    struct config *fresh = serve_load(input, error, sizeof error);
    if (fresh != NULL && app_reload(app, current, fresh, error, sizeof error)) {
        diag(DIAG_INFO, "reloaded", "%zu apps, %zu admin tokens, %s", fresh->app_count, fresh->admin_tokens.count,
             fresh->admin_jwt.enabled ? "JWT" : "no JWT");
        serve_free(current);
        return fresh;
    }
    if (fresh != NULL)
        serve_free(fresh);
    diag(DIAG_ERROR, "reload_failed", "%s; nothing has changed", error);
    return current;
}

static int serve_run(struct config **config, const struct config_input *input)
{
    char error[SERVE_ERROR_BYTES];
    sigset_t stop, all;
    int signal_number = 0;
    serve_block_signals(&stop, &all);
    struct app *app = app_start(*config, error, sizeof error);
    if (app == NULL) {
        diag(DIAG_ERROR, "start_failed", "%s", error);
        return COMMAND_FAILED;
    }
    while (sigwait(&all, &signal_number) != 0 || signal_number == SIGHUP)
        if (signal_number == SIGHUP)
            *config = serve_reload(app, *config, input);
    diag(DIAG_INFO, "stopping", "%s: finishing requests under way; a second signal ends at once",
         strsignal(signal_number));
    pthread_sigmask(SIG_UNBLOCK, &stop, NULL);
    app_stop(app);
    diag(DIAG_INFO, "stopped", "everything acknowledged is on disk");
    return COMMAND_OK;
}

static int serve_check(const struct config *config)
{
    char error[SERVE_ERROR_BYTES];
    if (!app_check(config, error, sizeof error)) {
        diag(DIAG_ERROR, "check_failed", "%s", error);
        return COMMAND_FAILED;
    }
    static const char *const origins[] = {"default", "file", "environment", "flag"};
    for (unsigned i = 0; i < CONFIG_SETTING_COUNT; i++)
        printf("%s: %s  # %s\n", config_rows[i].key, config->text[i], origins[config->origin[i]]);
    printf("limits:\n");
    for (unsigned i = 0; i < CONFIG_LIMIT_COUNT; i++)
        printf("  %s: %u  # %s\n", config_limit_rows[i].key, config->limit[i],
               config->limit[i] == config_limit_rows[i].fallback ? "default" : "file");
    printf("apps: %zu\nadmin_tokens: %zu\n", config->app_count, config->admin_tokens.count);
    if (config->admin_jwt.enabled)
        printf("admin_jwt: %s, key of %s, audience %s\n", jwt_algorithm_name(config->admin_jwt.algorithm),
               config->admin_jwt.key_file, config->admin_jwt.audience);
    return COMMAND_OK;
}

int command_serve(const struct command *self, int argc, char **argv)
{
    char error[SERVE_ERROR_BYTES];
    struct serve_arguments arguments = {.input.environment = serve_environment};
    int status = serve_parse(self, &arguments, argc, argv);
    if (status != COMMAND_OK)
        return status;
    struct config *config = serve_load(&arguments.input, error, sizeof error);
    if (config == NULL) {
        diag(DIAG_ERROR, "bad_configuration", "%s", error);
        return COMMAND_FAILED;
    }
    status = arguments.check ? serve_check(config) : serve_run(&config, &arguments.input);
    serve_free(config);
    return status;
}

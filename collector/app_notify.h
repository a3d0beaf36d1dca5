/*
 * What a service manager that asks for it is told: READY=1, RELOADING=1, STOPPING=1 (sd_notify(3), Type=notify). The
 * socket is connected before the sandbox closes, which afterwards lets nothing but this one descriptor reach it.
 */
#ifndef VITRACE_APP_NOTIFY_H
#define VITRACE_APP_NOTIFY_H

/* -1 = nobody asks ($NOTIFY_SOCKET), or it cannot be reached, which is said. `environment` is getenv(), or a test's. */
int app_notify_open(const char *(*environment)(const char *name));
/* Best effort, never waits; nothing when `file` is -1. */
void app_notify_ready(int file);
void app_notify_reloading(int file);
void app_notify_stopping(int file);

#endif

/*
 * Can pages of an origin see which trace a backend's answer belongs to, and does the collector know that trace? The
 * answer is asked for as a page would, so the backend makes a trace of it, whose spans should arrive within seconds.
 */
#ifndef VITRACE_COMMAND_DOCTOR_BACKEND_H
#define VITRACE_COMMAND_DOCTOR_BACKEND_H

#include "collector/command/doctor_http.h"
#include "collector/command/doctor_report.h"

#define DOCTOR_PATH_BYTES_MAX 512u

struct doctor_backend {
    struct doctor_url url;
    char origin[DOCTOR_HOST_BYTES_MAX + 16]; /* as given: SCHEME://HOST[:PORT] */
    char path[DOCTOR_PATH_BYTES_MAX];
};

/* SCHEME://HOST[:PORT][/PATH] */
bool doctor_backend_parse(const char *text, struct doctor_backend *out);
/* The trace id that the Server-Timing headers of an answer name, as 32 hex digits. false = none. */
bool doctor_backend_find_trace(const struct doctor_answer *answer, char trace_id[33]);
/* `page`: origin of the pages. `admin`: the collector's admin listener. */
void doctor_backend_check(const struct doctor_backend *self, const char *page, const struct doctor_url *admin,
                          struct doctor_report *report);

#endif

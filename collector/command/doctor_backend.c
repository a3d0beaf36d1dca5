#include "collector/command/doctor_backend.h"

#include "proto/wire/server_timing.h"
#include "proto/wire/traceparent.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* A BatchSpanProcessor sends every 5 s. */
#define DOCTOR_SPAN_SECONDS 15u

bool doctor_backend_parse(const char *text, struct doctor_backend *out)
{
    const char *scheme_end = strstr(text, "://");
    const char *path = scheme_end != NULL ? strchr(scheme_end + 3, '/') : NULL;
    size_t origin_size = path != NULL ? (size_t)(path - text) : strlen(text);
    if (origin_size >= sizeof out->origin || (path != NULL && strlen(path) >= sizeof out->path) ||
        strpbrk(text, " \t\r\n") != NULL)
        return false;
    memcpy(out->origin, text, origin_size);
    out->origin[origin_size] = '\0';
    snprintf(out->path, sizeof out->path, "%s", path != NULL ? path : "/");
    return doctor_url_parse(out->origin, &out->url);
}

static bool find_trace_in(struct slice header, char trace_id[33])
{
    struct server_timing_reader reader = server_timing_reader_of(header);
    struct server_timing metric;
    struct traceparent parsed;
    while (server_timing_reader_next(&reader, &metric)) {
        struct slice description = slice_of(metric.description, metric.description_size);
        if (server_timing_trace_of(slice_of(metric.name, metric.name_size)) == SERVER_TIMING_TRACE_NONE ||
            traceparent_parse(description, &parsed) != TRACEPARENT_OK)
            continue;
        for (size_t i = 0; i < sizeof parsed.trace_id; i++)
            snprintf(trace_id + 2 * i, 3, "%02x", parsed.trace_id[i]);
        return true;
    }
    return false;
}

bool doctor_backend_find_trace(const struct doctor_answer *answer, char trace_id[33])
{
    static const char name[] = "\r\nserver-timing:";
    for (const char *line = answer->head; (line = strstr(line, "\r\n")) != NULL; line += 2) {
        if (strncasecmp(line, name, sizeof name - 1) != 0)
            continue;
        const char *value = line + sizeof name - 1;
        if (find_trace_in(slice_of(value, strcspn(value, "\r")), trace_id))
            return true;
    }
    return false;
}

static bool backend_ask(const struct doctor_backend *self, const char *page, const char *method, const char *more,
                        struct doctor_answer *answer, struct doctor_report *report)
{
    char headers[1024], error[512];
    snprintf(headers, sizeof headers, "Origin: %s\r\n%s", page, more);
    const struct doctor_request request = {method, self->path, headers};
    printf("%s %s%s\n", method, self->origin, self->path);
    if (doctor_ask(&self->url, &request, answer, error, sizeof error))
        return true;
    doctor_report_find(report, false, error, "Is the backend running, and is --backend the address that pages use?");
    return false;
}

/* In a list, or "*". */
static bool lists_origin(const char *value, const char *page)
{
    for (size_t size; *value != '\0'; value += size) {
        value += strspn(value, ", \t");
        size = strcspn(value, ", \t");
        if ((size == 1 && *value == '*') || (size == strlen(page) && strncmp(value, page, size) == 0))
            return true;
    }
    return false;
}

static void check_preflight(const struct doctor_backend *self, const char *page, struct doctor_report *report)
{
    struct doctor_answer answer;
    if (!backend_ask(self, page, "OPTIONS",
                     "Access-Control-Request-Method: GET\r\nAccess-Control-Request-Headers: traceparent\r\n", &answer,
                     report))
        return;
    bool good = (answer.status == 200 || answer.status == 204) &&
                lists_origin(doctor_answer_header(&answer, "Access-Control-Allow-Origin"), page) &&
                strcasestr(doctor_answer_header(&answer, "Access-Control-Allow-Headers"), "traceparent") != NULL;
    doctor_report_note(
        good ? "its preflight allows traceparent: `trace` may list this origin"
             : "its preflight refuses traceparent: do not list this origin in `trace` (nothing else needs it)");
}

static bool collector_knows(const struct doctor_url *admin, const char *trace_id, int *status)
{
    char path[64], error[512];
    struct doctor_answer answer = {0};
    snprintf(path, sizeof path, "/api/v1/traces/%s", trace_id);
    const struct doctor_request request = {"GET", path, ""};
    *status = doctor_ask(admin, &request, &answer, error, sizeof error) ? answer.status : 0;
    return *status == 200;
}

static void check_spans(const struct doctor_url *admin, const char *trace_id, struct doctor_report *report)
{
    int status = 404;
    for (unsigned second = 0; second < DOCTOR_SPAN_SECONDS && status == 404; second++) {
        if (second > 0)
            sleep(1);
        if (collector_knows(admin, trace_id, &status))
            break;
    }
    if (status != 200 && status != 404)
        doctor_report_note(status == 401
                               ? "whether the collector knows the trace was not asked: --admin wants a token"
                               : "whether the collector knows the trace was not asked: --admin does not answer");
    else
        doctor_report_find(report, status == 200, "the collector knows that trace",
                           "Point the backend's OTLP exporter at the collector (port 4318); or its sampler left this "
                           "request out.");
}

void doctor_backend_check(const struct doctor_backend *self, const char *page, const struct doctor_url *admin,
                          struct doctor_report *report)
{
    struct doctor_answer answer;
    char trace_id[33] = "";
    if (!backend_ask(self, page, "GET", "", &answer, report))
        return;
    doctor_report_find(report, answer.status < 400, "the backend answers", "Give a path that needs no login.");
    bool named = doctor_backend_find_trace(&answer, trace_id);
    doctor_report_find(report, named, "Server-Timing names the trace",
                       "Send Server-Timing: traceparent;desc=\"00-<trace id>-<span id>-01\" with every answer, errors, "
                       "too; a proxy or CDN must pass it on.");
    if (named)
        doctor_report_find(report, strtol(doctor_answer_header(&answer, "Age"), NULL, 10) == 0,
                           "the answer is not from a shared cache",
                           "Its id is that of an older request, and counts as stale_shared_cache: let the cache drop "
                           "or replace Server-Timing.");
    if (strcmp(self->origin, page) != 0) {
        doctor_report_find(
            report, lists_origin(doctor_answer_header(&answer, "Timing-Allow-Origin"), page),
            "Timing-Allow-Origin lets the page see it",
            "Add Timing-Allow-Origin with the page's origin: without it there are neither phases nor ids.");
        check_preflight(self, page, report);
    }
    if (named)
        check_spans(admin, trace_id, report);
}

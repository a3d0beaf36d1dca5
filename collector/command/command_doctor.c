/*
 * What a browser on a page of the given origin would meet, asked the same way: the SDK files with their policies, the
 * preflight, and a beacon. The beacon is empty, which is refused before anything is stored; that its refusal can be
 * read by the page is the point. A backend of the site is asked, too, when one is named: doctor_backend.h.
 */
#include "collector/command/command.h"

#include "collector/command/doctor_backend.h"

#include <stdio.h>
#include <strings.h>

#define DOCTOR_ENDPOINT "http://127.0.0.1:4319"
#define DOCTOR_ADMIN    "http://127.0.0.1:4320"

struct doctor {
    const char *origin, *endpoint_text, *backend_text, *admin_text;
    struct doctor_url endpoint, admin;
    struct doctor_backend backend;
    struct doctor_answer answer; /* of the request that is being looked at */
    struct doctor_report report;
};

static void doctor_find(struct doctor *self, bool good, const char *what, const char *mend)
{
    doctor_report_find(&self->report, good, what, mend);
}

static bool doctor_header_is(struct doctor *self, const char *name, const char *want)
{
    return strcasecmp(doctor_answer_header(&self->answer, name), want) == 0;
}

static bool doctor_header_begins(struct doctor *self, const char *name, const char *want)
{
    return strncasecmp(doctor_answer_header(&self->answer, name), want, strlen(want)) == 0;
}

/* Comma-separated, case-insensitive. */
static bool doctor_header_lists(struct doctor *self, const char *name, const char *want)
{
    const char *at = doctor_answer_header(&self->answer, name);
    for (size_t size; *at != '\0'; at += size) {
        at += strspn(at, ", \t");
        size = strcspn(at, ", \t");
        if (size == strlen(want) && strncasecmp(at, want, size) == 0)
            return true;
    }
    return false;
}

static bool doctor_origin_may_read(struct doctor *self)
{
    return doctor_header_is(self, "Access-Control-Allow-Origin", "*") ||
           doctor_header_is(self, "Access-Control-Allow-Origin", self->origin);
}

static bool doctor_request(struct doctor *self, const char *method, const char *path, const char *more)
{
    char headers[2048], error[512];
    snprintf(headers, sizeof headers, "Origin: %s\r\n%s", self->origin, more);
    const struct doctor_request request = {method, path, headers};
    printf("%s %s%s\n", method, self->endpoint_text, path);
    if (doctor_ask(&self->endpoint, &request, &self->answer, error, sizeof error))
        return true;
    doctor_find(self, false, error, "Is the collector running, and is --endpoint the address that pages use?");
    return false;
}

static const struct doctor_file {
    const char *path, *type;
} doctor_files[] = {{"/v1/vitrace.js", "text/javascript"},
                    {"/v1/vitrace-worker.js", "text/javascript"},
                    {"/v1/vitrace.wasm", "application/wasm"}};

/* false = nobody answers: the other checks would say the same. */
static bool doctor_check_file(struct doctor *self, const struct doctor_file *file)
{
    if (!doctor_request(self, "GET", file->path, ""))
        return false;
    doctor_find(self, self->answer.status == 200, "the file is there",
                self->answer.status == 400 && !self->endpoint.is_https
                    ? "What listens there may speak TLS only: try --endpoint https://..."
                    : "Build js-glue, or start the collector with --sdk FOLDER; a proxy must pass /v1/ on.");
    if (self->answer.status != 200)
        return true;
    doctor_find(self, doctor_header_begins(self, "Content-Type", file->type), "Content-Type fits",
                "A proxy has changed it: browsers run no script and stream no Wasm of another type.");
    doctor_find(self, doctor_origin_may_read(self), "Access-Control-Allow-Origin lets the page in",
                "A proxy has removed it: <script crossorigin> and fetch need it.");
    doctor_find(self, doctor_header_is(self, "Cross-Origin-Resource-Policy", "cross-origin"),
                "Cross-Origin-Resource-Policy is cross-origin",
                "A proxy has removed it: cross-origin isolated pages load nothing without it.");
    doctor_find(self, doctor_header_is(self, "Timing-Allow-Origin", "*"), "Timing-Allow-Origin is *",
                "A proxy has removed it: the SDK's own cost would be missing from the waterfall.");
    return true;
}

static bool doctor_check_preflight(struct doctor *self)
{
    if (!doctor_request(self, "OPTIONS", "/v1/beacon",
                        "Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: content-type\r\n"))
        return false;
    doctor_find(self, self->answer.status == 204 || self->answer.status == 200, "the preflight is answered",
                self->answer.status == 403
                    ? "Add the origin to an app in the configuration file (apps: origins:), then reload."
                    : "A proxy answers OPTIONS itself: let it pass.");
    doctor_find(self, doctor_header_is(self, "Access-Control-Allow-Origin", self->origin),
                "its answer names the origin", "Add the origin to an app (apps: origins:).");
    doctor_find(self, doctor_header_lists(self, "Access-Control-Allow-Methods", "POST"), "POST is allowed",
                "A proxy has changed Access-Control-Allow-Methods.");
    doctor_find(self, doctor_header_lists(self, "Access-Control-Allow-Headers", "content-type"),
                "Content-Type is allowed", "A proxy has changed Access-Control-Allow-Headers.");
    return true;
}

/* As sendBeacon and fetch send it without a preflight: text/plain, with credentials. */
static bool doctor_check_beacon(struct doctor *self)
{
    if (!doctor_request(self, "POST", "/v1/beacon", "Content-Type: text/plain\r\n"))
        return false;
    doctor_find(self, self->answer.status == 400, "an empty beacon is refused as empty",
                self->answer.status == 403   ? "Add the origin to an app (apps: origins:)."
                : self->answer.status == 429 ? "Rate limits refuse this address: see limits: in the configuration."
                                             : "Something else than a Vitrace collector answers.");
    doctor_find(
        self, doctor_header_is(self, "Access-Control-Allow-Origin", self->origin),
        "the page may read why (Access-Control-Allow-Origin)",
        "Add the origin to an app; a proxy must keep the header on errors, too (nginx: add_header ... always).");
    doctor_find(self, doctor_header_is(self, "Access-Control-Allow-Credentials", "true"),
                "with credentials (sendBeacon sends them)", "A proxy has removed Access-Control-Allow-Credentials.");
    doctor_find(self, doctor_header_lists(self, "Access-Control-Expose-Headers", "Retry-After"),
                "Retry-After can be read", "A proxy has removed Access-Control-Expose-Headers.");
    doctor_find(self, doctor_header_lists(self, "Vary", "Origin"), "caches keep origins apart (Vary: Origin)",
                "A proxy has removed Vary.");
    return true;
}

static int doctor_run(struct doctor *self)
{
    bool answers = true;
    if (strncmp(self->origin, "https://", 8) == 0)
        doctor_find(
            self, self->endpoint.is_https || doctor_url_is_local(&self->endpoint),
            "a secure page may talk to the endpoint",
            "Browsers block http from https pages: give the collector https, or put it behind a proxy that has.");
    for (size_t i = 0; answers && i < sizeof doctor_files / sizeof doctor_files[0]; i++)
        answers = doctor_check_file(self, &doctor_files[i]);
    if (answers && doctor_check_preflight(self))
        doctor_check_beacon(self);
    if (self->backend_text != NULL)
        doctor_backend_check(&self->backend, self->origin, &self->admin, &self->report);
    printf("%u passed, %u failed\n", self->report.passed, self->report.failed);
    return self->report.failed == 0 && fflush(stdout) == 0 ? COMMAND_OK : COMMAND_FAILED;
}

/* Browsers send an origin in lowercase and without a slash; what would never match is told at once. */
static bool doctor_origin_is_valid(const char *origin)
{
    struct doctor_url url;
    size_t size = strlen(origin);
    return size > 0 && size < 512 && doctor_url_parse(origin, &url) && origin[size - 1] != '/' &&
           strpbrk(origin, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == NULL;
}

int command_doctor(const struct command *self, int argc, char **argv)
{
    struct doctor doctor = {.endpoint_text = DOCTOR_ENDPOINT, .admin_text = DOCTOR_ADMIN};
    for (int i = 1; i < argc; i += 2) {
        const char **value = strcmp(argv[i], "--origin") == 0     ? &doctor.origin
                             : strcmp(argv[i], "--endpoint") == 0 ? &doctor.endpoint_text
                             : strcmp(argv[i], "--backend") == 0  ? &doctor.backend_text
                             : strcmp(argv[i], "--admin") == 0    ? &doctor.admin_text
                                                                  : NULL;
        if (value == NULL)
            return command_misused(self, "unknown argument '%s'", argv[i]);
        if (i + 1 == argc)
            return command_misused(self, "%s needs a value", argv[i]);
        *value = argv[i + 1];
    }
    if (doctor.origin == NULL || !doctor_origin_is_valid(doctor.origin))
        return command_misused(self, "--origin is SCHEME://HOST[:PORT] in lowercase, as in the page's location.origin");
    if (!doctor_url_parse(doctor.endpoint_text, &doctor.endpoint))
        return command_misused(self, "--endpoint is http://HOST[:PORT] or https://HOST[:PORT]");
    if (!doctor_url_parse(doctor.admin_text, &doctor.admin))
        return command_misused(self, "--admin is http://HOST[:PORT] or https://HOST[:PORT]");
    if (doctor.backend_text != NULL && !doctor_backend_parse(doctor.backend_text, &doctor.backend))
        return command_misused(self, "--backend is http[s]://HOST[:PORT][/PATH]");
    return doctor_run(&doctor);
}

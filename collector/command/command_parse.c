/* Shows what the wire parsers make of a header: the same code that reads it in the page. */
#include "collector/command/command.h"

#include "collector/base/json.h"
#include "proto/wire/server_timing.h"

#include <stdio.h>

#define PARSE_OUTPUT_BYTES_MAX (1u << 20)

static void parse_write_traceparent(struct json *json, const char *key, const struct traceparent *parsed)
{
    json_object(json, key);
    json_int(json, "version", parsed->version);
    json_hex(json, "trace_id", slice_of(parsed->trace_id, sizeof parsed->trace_id));
    json_hex(json, "span_id", slice_of(parsed->span_id, sizeof parsed->span_id));
    json_int(json, "flags", parsed->flags);
    json_bool(json, "sampled", (parsed->flags & TRACEPARENT_SAMPLED) != 0);
    json_bool(json, "random", (parsed->flags & TRACEPARENT_RANDOM) != 0);
    json_object_end(json);
}

static bool parse_traceparent(struct slice text, struct json *json)
{
    struct traceparent parsed;
    enum traceparent_status status = traceparent_parse(text, &parsed);
    if (status == TRACEPARENT_OK)
        parse_write_traceparent(json, NULL, &parsed);
    else
        fprintf(stderr, "vitrace parse: not a traceparent: %s\n", traceparent_status_text(status));
    return status == TRACEPARENT_OK;
}

static const char *parse_trace_name(enum server_timing_trace trace)
{
    switch (trace) {
    case SERVER_TIMING_TRACE_NONE:
        return NULL;
    case SERVER_TIMING_TRACE:
        return "trace";
    case SERVER_TIMING_TRACEPARENT:
        return "traceparent";
    case SERVER_TIMING_TRACERESPONSE:
        return "traceresponse";
    }
    return NULL;
}

/* A metric that names a trace: what its description says, or why it says nothing. */
static void parse_write_trace(struct json *json, const struct server_timing *metric)
{
    struct traceparent parsed;
    const char *name = parse_trace_name(server_timing_trace_of(slice_of(metric->name, metric->name_size)));
    if (name == NULL)
        return;
    json_text(json, "trace", slice_text(name));
    enum traceparent_status status =
        traceparent_parse(slice_of(metric->description, metric->description_size), &parsed);
    if (status == TRACEPARENT_OK)
        parse_write_traceparent(json, "claim", &parsed);
    else
        json_text(json, "no_claim", slice_text(traceparent_status_text(status)));
}

static bool parse_server_timing(struct slice text, struct json *json)
{
    struct server_timing_reader reader = server_timing_reader_of(text);
    struct server_timing metric;
    unsigned count = 0;
    json_object(json, NULL);
    json_array(json, "metrics");
    for (; server_timing_reader_next(&reader, &metric); count++) {
        json_object(json, NULL);
        json_text(json, "name", slice_of(metric.name, metric.name_size));
        json_text(json, "description", slice_of(metric.description, metric.description_size));
        json_double(json, "duration", metric.duration_ms);
        parse_write_trace(json, &metric);
        json_object_end(json);
    }
    json_array_end(json);
    json_object_end(json);
    if (count == 0)
        fprintf(stderr, "vitrace parse: not a Server-Timing header: no metric\n");
    return count > 0;
}

static const struct {
    const char *name;
    bool (*parse)(struct slice text, struct json *json);
} parse_kinds[] = {{"traceparent", parse_traceparent}, {"server-timing", parse_server_timing}};

int command_parse(const struct command *self, int argc, char **argv)
{
    if (argc != 3)
        return command_misused(self, "a kind and a text are needed");
    for (size_t i = 0; i < sizeof parse_kinds / sizeof parse_kinds[0]; i++) {
        if (strcmp(parse_kinds[i].name, argv[1]) != 0)
            continue;
        struct buf out;
        struct json json;
        buf_init(&out, PARSE_OUTPUT_BYTES_MAX);
        json_init(&json, &out);
        int status = parse_kinds[i].parse(slice_text(argv[2]), &json) ? command_print(&out) : COMMAND_FAILED;
        buf_release(&out);
        return status;
    }
    return command_misused(self, "unknown kind '%s'", argv[1]);
}

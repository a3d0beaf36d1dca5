#include "collector/command/command.h"

#include <stdio.h>
#include <string.h>

static const struct command commands[] = {
    {"serve", "[--config FILE] [--data DIR] [--listen ADDR] [--admin ADDR] [--otlp-http ADDR] [--sdk DIR]\n"
     "       [--retention-days N] [--log-bytes-max N[KMGT]] [--check]",
     "run the collector",
     "Each setting may come from a flag, from the environment (VITRACE_DATA, VITRACE_LISTEN, VITRACE_ADMIN,\n"
     "VITRACE_OTLP_HTTP, VITRACE_SDK), from the YAML file (data, listen, admin, otlp_http, sdk, apps), or be left at "
     "its\n"
     "default: ./vitrace-data, 127.0.0.1:4319, 127.0.0.1:4320, 127.0.0.1:4318. The first of these that has it counts.\n"
     "Port 0 takes a free one; the ports are in the \"ready\" message on stderr and in DATA/addresses.json.\n"
     "The log keeps what is younger than retention_days (30), at most log_bytes_max bytes of it (20G), oldest out first.\n"
     "--check reads and judges the settings without starting; exit status 1 when they cannot work.",
     command_serve},
    {"decode", "FILE|-", "print a beacon as JSON", "Exit status 1, and the reason, when it is not valid.",
     command_decode},
    {"parse", "traceparent|server-timing TEXT", "show what the header parsers make of a text",
     "Exit status 1, and the reason, when it is not valid.", command_parse},
    {"replay", "FILE|- [--json]", "run a recorded entry stream through the core",
     "Writes the beacons to stdout, each after its length (u32, little-endian), or with --json as lines of JSON.",
     command_replay},
    {"token", "new", "make a token for the admin listener",
     "Prints the token, and its SHA-256 hash as a line for the configuration file. Only the hash is kept there.",
     command_token},
    {"version", "", "print the version", NULL, command_version},
};

#define COMMANDS (sizeof commands / sizeof commands[0])

static int print_help(FILE *out)
{
    fputs("Vitrace: real-user monitoring that joins what people wait for with what the backend did.\n\n", out);
    for (size_t i = 0; i < COMMANDS; i++)
        fprintf(out, "  vitrace %-8s %s\n", commands[i].name, commands[i].summary);
    fputs("\n'vitrace COMMAND --help' says more.\n", out);
    return out == stderr ? COMMAND_USAGE : COMMAND_OK;
}

static bool is_help(const char *text)
{
    return strcmp(text, "--help") == 0 || strcmp(text, "-h") == 0 || strcmp(text, "help") == 0;
}

static int run(const struct command *command, int argc, char **argv)
{
    if (argc < 2 || !is_help(argv[1]))
        return command->run(command, argc, argv);
    printf("usage: vitrace %s %s\n\n%s\n", command->name, command->usage, command->summary);
    if (command->help != NULL)
        printf("\n%s\n", command->help);
    return COMMAND_OK;
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return print_help(stderr);
    if (is_help(argv[1]))
        return print_help(stdout);
    const char *name = strcmp(argv[1], "--version") == 0 ? "version" : argv[1];
    for (size_t i = 0; i < COMMANDS; i++)
        if (strcmp(commands[i].name, name) == 0)
            return run(&commands[i], argc - 1, argv + 1);
    fprintf(stderr, "vitrace: unknown command '%s'\n\n", argv[1]);
    return print_help(stderr);
}

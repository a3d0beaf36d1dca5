#include "collector/command/command.h"

#include <stdio.h>
#include <string.h>

static const struct command commands[] = {
    {"serve", "[--config FILE] [--SETTING VALUE ...] [--check]", "run the collector",
     "Each setting may come from a flag, from the environment, from the YAML file, or be left at its default; the first\n"
     "of these that has it counts. The file alone holds apps, limits and admin_tokens. SIGHUP reads it again.\n"
     "Port 0 takes a free one; the ports are in the \"ready\" message on stderr and in DATA/addresses.json.\n"
     "--check judges the settings without starting and says where each is from; exit status 1 when they cannot work.\n",
     command_serve, command_serve_settings},
    {"decode", "FILE|-", "print a beacon as JSON", "Exit status 1, and the reason, when it is not valid.",
     command_decode, NULL},
    {"parse", "traceparent|server-timing TEXT", "show what the header parsers make of a text",
     "Exit status 1, and the reason, when it is not valid.", command_parse, NULL},
    {"replay", "FILE|- [--json]", "run a recorded entry stream through the core",
     "Writes the beacons to stdout, each after its length (u32, little-endian), or with --json as lines of JSON.",
     command_replay, NULL},
    {"log", "check DIR | dump [--payload] DIR | repair DIR NEW_DIR", "check, print or save the log of a stopped collector",
     "DIR is the data folder or its log. check: exit status 1 when something is damaged, with the positions. dump: a line of\n"
     "JSON for each record. repair: copies what is sound into a new log and says what it left out; DIR is not changed.",
     command_log, NULL},
    {"doctor", "--origin URL [--endpoint URL] [--backend URL [--admin URL]]", "ask a collector what a browser on your site would ask it",
     "Says what a page of the origin would be refused, and how to mend it; exit status 1 then. Stores nothing.\n"
     "--endpoint is the address that pages use, through whatever proxies there are (http://127.0.0.1:4319).",
     command_doctor, NULL},
    {"token", "new", "make a token for the admin listener",
     "Prints the token, and its SHA-256 hash as a line for the configuration file. Only the hash is kept there.",
     command_token, NULL},
    {"bench", "fsync --data DIR", "measure how long this disk takes to make a commit durable",
     "The least time that an answer takes here: 200 writes each of 4 KiB, 64 KiB and 1 MiB into a file of 16 MiB in DIR that\n"
     "is removed again. What a virtual disk calls durable may still be in its host's memory.",
     command_bench, NULL},
    {"version", "", "print the version", NULL, command_version, NULL},
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
    if (command->print_more != NULL)
        command->print_more(stdout);
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

#include "collector/command/command.h"

#include "proto/wire/limits.h"

#include <stdio.h>

int command_version(const struct command *self, int argc, char **argv)
{
    if (argc > 1)
        return command_misused(self, "unexpected '%s'", argv[1]);
    printf("vitrace %s (wire schema %u)\n", VITRACE_VERSION, VITRACE_SCHEMA_VERSION);
    return COMMAND_OK;
}

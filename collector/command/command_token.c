#include "collector/command/command.h"

#include "collector/auth/auth.h"

#include <stdio.h>

/* The token goes to people and Prometheus, the hash into the configuration: two lines, so that neither is mistaken. */
int command_token(const struct command *self, int argc, char **argv)
{
    char token[AUTH_TOKEN_BYTES];
    uint8_t hash[AUTH_HASH_BYTES];
    if (argc != 2 || strcmp(argv[1], "new") != 0)
        return command_misused(self, "'new' is needed");
    if (!auth_token_new(token)) {
        fputs("vitrace token: the system has no randomness to give\n", stderr);
        return COMMAND_FAILED;
    }
    auth_hash(slice_text(token), hash);
    printf("token: %s\nadmin_tokens: [\"", token);
    for (size_t i = 0; i < sizeof hash; i++)
        printf("%02x", hash[i]);
    puts("\"]");
    return fflush(stdout) == 0 ? COMMAND_OK : COMMAND_FAILED;
}

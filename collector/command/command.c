#include "collector/command/command.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

int command_misused(const struct command *self, const char *format, ...)
{
    va_list arguments;
    fprintf(stderr, "vitrace %s: ", self->name);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "\nusage: vitrace %s %s\n", self->name, self->usage);
    return COMMAND_USAGE;
}

bool command_read_file(const char *path, struct buf *out)
{
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
    if (file == NULL) {
        fprintf(stderr, "vitrace: %s: %s\n", path, strerror(errno));
        return false;
    }
    uint8_t *room;
    size_t got = 1;
    while (got > 0 && (room = buf_reserve(out, 4096)) != NULL) {
        got = fread(room, 1, 4096, file);
        out->size += got;
    }
    bool good = !ferror(file) && !out->failed;
    if (file != stdin)
        fclose(file);
    if (!good)
        fprintf(stderr, "vitrace: %s: cannot be read, or is over %zu bytes\n", path, out->room_max);
    return good;
}

int command_print(const struct buf *text)
{
    bool good = !text->failed && fwrite(text->data, 1, text->size, stdout) == text->size && putchar('\n') != EOF &&
                fflush(stdout) == 0;
    return good ? COMMAND_OK : COMMAND_FAILED;
}

/* Private to `vitrace log`: its verbs, each over a log opened for reading only. */
#ifndef VITRACE_COMMAND_LOG_H
#define VITRACE_COMMAND_LOG_H

#include "collector/command/command.h"
#include "collector/log/log.h"

struct command_log {
    struct log *log;
    struct log_reader *reader;
    struct counters counters;
};

/* The folder of a collector's data, or of its log. false after a message on stderr. */
bool command_log_open(struct command_log *self, const char *folder);
void command_log_close(struct command_log *self);
/* As log_reader_next(), but steps over damage; false at the end, or after a message on stderr (`*failed`). */
bool command_log_next(struct command_log *self, struct log_record *record, bool *is_damage, bool *failed);

int command_log_check(struct command_log *self);
int command_log_dump(struct command_log *self, bool with_payload);
int command_log_repair(struct command_log *self, const char *to);

#endif

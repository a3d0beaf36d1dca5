/* Messages for operators: one JSON object a line on stderr, control characters escaped. Thread-safe. */
#ifndef VITRACE_BASE_DIAG_H
#define VITRACE_BASE_DIAG_H

enum diag_level { DIAG_ERROR, DIAG_WARNING, DIAG_INFO, DIAG_DEBUG };

/* Messages above `level` are dropped. Set once, before threads start. */
void diag_set_level(enum diag_level level);
/* `event` is a stable snake_case name; the rest is printf, for people. */
void diag(enum diag_level level, const char *event, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif

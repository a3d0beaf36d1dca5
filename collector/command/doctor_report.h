/* What `vitrace doctor` has found so far, line by line on stdout. */
#ifndef VITRACE_COMMAND_DOCTOR_REPORT_H
#define VITRACE_COMMAND_DOCTOR_REPORT_H

#include <stdbool.h>

struct doctor_report {
    unsigned passed, failed;
};

/* One finding: what holds, or else how to mend it. */
void doctor_report_find(struct doctor_report *self, bool good, const char *what, const char *mend);
/* What is neither good nor bad. */
void doctor_report_note(const char *what);

#endif

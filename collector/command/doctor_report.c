#include "collector/command/doctor_report.h"

#include <stdio.h>

void doctor_report_find(struct doctor_report *self, bool good, const char *what, const char *mend)
{
    printf("%s %s\n", good ? "ok  " : "FAIL", what);
    if (!good)
        printf("     -> %s\n", mend);
    self->passed += good;
    self->failed += !good;
}

void doctor_report_note(const char *what)
{
    printf("note %s\n", what);
}

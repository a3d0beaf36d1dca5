/* The embedded files: dashboard_files.c is generated from assets/ at build time (embed.cmake). */
#ifndef VITRACE_DASHBOARD_FILES_H
#define VITRACE_DASHBOARD_FILES_H

#include <stddef.h>

struct dashboard_file {
    const char *path; /* as requested, e.g. "/app.js" */
    const char *content_type;
    const unsigned char *data;
    size_t size;
};

extern const struct dashboard_file dashboard_files[];
extern const size_t dashboard_file_count;

#endif

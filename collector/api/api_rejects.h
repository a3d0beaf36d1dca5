/* The last refused requests as JSON; see collector/base/rejects.h for which, and reject.h for what of them. Private. */
#ifndef VITRACE_API_REJECTS_H
#define VITRACE_API_REJECTS_H

#include "collector/query/query.h"

struct rejects;
enum query_status api_rejects_write(struct rejects *rejects, struct buf *out);

#endif

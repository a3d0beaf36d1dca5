/* What each listener and stage gets of what the machine and the process have: threads, connections, memory. */
#ifndef VITRACE_APP_CAPACITY_H
#define VITRACE_APP_CAPACITY_H

#include "collector/config.h"

#define APP_CAPACITY_GRPC        256u /* collectors and SDK exporters keep one each */

enum app_listener { APP_PUBLIC, APP_OTLP, APP_ADMIN, APP_LISTENERS };

unsigned app_capacity_threads(enum app_listener which);
/* Takes all descriptors that the process may have; tells when they are fewer than the settings ask for. */
unsigned app_capacity_connections(const struct config *config, enum app_listener which);
/* Of one address; 0 = no cap. */
unsigned app_capacity_per_peer(const struct config *config, enum app_listener which);

/* Of the memory budget: for the joiner's window and for the index. */
uint64_t app_capacity_join_bytes(const struct config *config);
uint64_t app_capacity_index_bytes(const struct config *config);
/* Every table is there: from here on only what clients bring takes memory. false: `error` says what is left for them. */
bool app_capacity_divide(struct memory *memory, char *error, size_t error_size);

#endif

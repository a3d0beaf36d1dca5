/* How many threads and connections each listener gets, of what the machine and the process have. */
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

#endif

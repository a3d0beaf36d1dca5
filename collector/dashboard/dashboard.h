/* The dashboard: static files compiled into the binary, served on the admin listener under a strict CSP. */
#ifndef VITRACE_DASHBOARD_H
#define VITRACE_DASHBOARD_H

#include "collector/net/net.h"

/* net_handler for GET and HEAD of "/" and "/assets" paths; no context. */
void dashboard_handle(void *context, struct net_exchange *exchange);

#endif

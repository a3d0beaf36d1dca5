/*
 * Who sent a request: the peer of the connection, or, behind `hops` proxies of our own, what they wrote into
 * X-Forwarded-For.
 *
 *   client --> proxy A --> proxy B --> here          X-Forwarded-For: forged, forged, client, A      peer: B
 *                                      hops = 2                                       ^ second from the right
 *
 * Every proxy appends the address that it saw, so only the last `hops` entries were written by ours; anything further
 * left is the client's own claim and is never read. Fewer entries than hops, or one that is not an address: the peer.
 */
#ifndef VITRACE_INGEST_CLIENT_H
#define VITRACE_INGEST_CLIENT_H

#include "collector/net/net.h"

/* `forwarded`: one X-Forwarded-For value, `hop` >= 1 counted from its right. Takes a port behind the address. false =
 * there is no such entry, or it is not an address. */
bool ingest_client_parse(struct slice forwarded, unsigned hop, uint8_t out[16]);
unsigned ingest_client_count(struct slice forwarded);

void ingest_client_find(const struct net_exchange *exchange, unsigned hops, uint8_t out[16]);

#endif

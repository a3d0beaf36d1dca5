/*
 * Who a request went to, as seen from the page. There is no public suffix list here: a site is the last two labels of
 * the host, or the last three under a short second level of a country (example.co.uk). So two tenants of one shared
 * domain (a.github.io, b.github.io) count as one site, and addresses and single labels are sites of their own.
 */
#ifndef VITRACE_SITE_H
#define VITRACE_SITE_H

#include "proto/wire/slice.h"

/* Another site than the page's. A URL without a host (data:, blob:, relative) is the page's own. */
bool site_is_third_party(struct slice page_url, struct slice url);
/* Another scheme, host or port than the page's. */
bool site_is_cross_origin(struct slice page_url, struct slice url);

#endif

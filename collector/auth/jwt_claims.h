/*
 * Header and claims, read in one pass each: no tree, no allocation. A member that is looked at may be there once; two
 * readers of the same token would otherwise see two tokens. Private to jwt.
 */
#ifndef VITRACE_AUTH_JWT_CLAIMS_H
#define VITRACE_AUTH_JWT_CLAIMS_H

#include "collector/auth/jwt.h"

/* The decoded header: JWT_GOOD, JWT_MALFORMED or JWT_ALGORITHM. */
enum jwt_verdict jwt_claims_check_header(struct slice json, enum jwt_algorithm algorithm);
/* The decoded claims of a token whose signature is right. */
enum jwt_verdict jwt_claims_check(struct slice json, const struct jwt_options *options, uint64_t now_unix_s);

#endif

/*
 * Every maximum on which the page and the collector must agree.
 * nanopb's bounds (vitrace/v1/beacon.options) repeat some of them; limits_test compares the two.
 */
#ifndef VITRACE_WIRE_LIMITS_H
#define VITRACE_WIRE_LIMITS_H

/*
 * One beacon is one sealed segment. 16 KiB: four fit the 64 KiB that browsers allow in flight for
 * sendBeacon and keepalive fetch, and a two-byte padded varint (16,383) frames any record in it.
 */
#define BEACON_BYTES_MAX 16384u
/* Strings of one beacon. The dictionary's hash table in the core has twice as many slots. */
#define BEACON_STRINGS_MAX 512u
/* One dictionary string, in bytes of UTF-8. Longer ones are cut at a character boundary. */
#define BEACON_STRING_BYTES_MAX 1024u
/* Records of one beacon: BEACON_BYTES_MAX over the smallest useful record (tag, length, two fields of two bytes). */
#define BEACON_RECORDS_MAX 2340u

#define BEACON_CLAIMS_MAX 4u         /* ids kept for one request, in header order */
#define BEACON_SERVER_TIMINGS_MAX 8u /* Server-Timing metrics kept for one request */
#define BEACON_ATTRIBUTES_MAX 16u    /* of one custom event */
#define BEACON_FRAME_SCRIPTS_MAX 8u  /* scripts of one long animation frame */

#define VITRACE_SCHEMA_VERSION 1u

#endif

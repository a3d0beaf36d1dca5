/*
 * Finds what must not leave in a text: one pass, no memory of its own. Who asks copies what lies between the finds.
 *
 *   found                                         in paths     in texts      becomes
 *   bob@example.org, bob%40example.org            yes          yes           [email]
 *   eyJ....x.y (a JSON web token)                 yes          yes           [token]
 *   password=..., "token": "..." and the like     yes          yes           [redacted], the value alone
 *   4111 1111 1111 1111 (13-19 digits, Luhn)      yes          yes           [number]
 *   nine digits and more in a row, or after a +   no: an id    yes           [number]
 *   32 hex digits and more, base64 of 24 bytes    yes          no: an id     [redacted]
 *
 * The last row leaves alone what names a version of code: a hash in a file name that ends in .js, .css and the like.
 */
#ifndef VITRACE_REDACTOR_H
#define VITRACE_REDACTOR_H

#include "proto/wire/slice.h"

struct redactor {
    struct slice text; /* borrowed; valid UTF-8 */
    bool is_path;      /* of a URL, or a value of its query */
    size_t at;
    size_t email_begin, email_end; /* the next address; equal = there is none before `searched` */
    size_t searched;
    /* the find: [begin, end) stands between characters */
    size_t begin, end;
    struct slice label;
};

struct redactor redactor_of(struct slice text, bool is_path);
/*
 * true: there is nothing to find in this path. A glance for the URLs of resources, which come by the hundred: it costs a
 * tenth of looking for finds, and says false too often, but never true.
 */
bool redactor_is_plain(struct slice path);
/* The next find behind the one before. false: there is nothing more. */
bool redactor_next(struct redactor *self);

#endif

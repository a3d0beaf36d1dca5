/* UTF-8 as in RFC 3629: no surrogates, no overlong forms, nothing above U+10FFFF. */
#ifndef VITRACE_UTF8_H
#define VITRACE_UTF8_H

#include "proto/wire/slice.h"

bool utf8_is_valid(struct slice text);
/* The longest prefix of at most `bytes_max` bytes that ends between characters. `text` must be valid. */
struct slice utf8_cut(struct slice text, size_t bytes_max);

#endif

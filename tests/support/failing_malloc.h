/*
 * The n-th call of malloc, calloc or realloc fails, of whatever is linked with -Wl,--wrap=malloc -Wl,--wrap=calloc
 * -Wl,--wrap=realloc; what is inside libc is not touched. Any thread.
 */
#ifndef VITRACE_FAILING_MALLOC_H
#define VITRACE_FAILING_MALLOC_H

#include <stdbool.h>

/* From now on `calls` succeed and one fails; negative = none does. Forgets an earlier failure. */
void failing_malloc_arm(long calls);
/* None fails any more; what has failed is still known. */
void failing_malloc_disarm(void);
bool failing_malloc_has_failed(void);

#endif

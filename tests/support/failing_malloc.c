#include "tests/support/failing_malloc.h"

#include <stdatomic.h>
#include <stddef.h>

static _Atomic long fail_in = -1;
static _Atomic bool has_failed;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

void failing_malloc_arm(long calls)
{
    atomic_store(&has_failed, false);
    atomic_store(&fail_in, calls);
}

void failing_malloc_disarm(void)
{
    atomic_store(&fail_in, -1);
}

bool failing_malloc_has_failed(void)
{
    return atomic_load(&has_failed);
}

static bool call_fails(void)
{
    if (atomic_load(&fail_in) < 0 || atomic_fetch_sub(&fail_in, 1) != 0)
        return false;
    atomic_store(&has_failed, true);
    return true;
}

void *__wrap_malloc(size_t size)
{
    return call_fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return call_fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return call_fails() ? NULL : __real_realloc(old, size);
}

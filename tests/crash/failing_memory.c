/*
 * malloc, calloc and realloc of a whole program, libraries included, so that any one call can fail. The program's own
 * symbols come before those of every library; memory itself is still the sanitizer's or libc's.
 *
 *   VITRACE_MEMORY_TOLD=FILE       created; gets "failed" and the callers when the call has failed, or, with nothing to fail, a line for
 *                                  each new place: hash of the calls that led to it, and the number of the allocation
 *   VITRACE_MEMORY_FAIL=HASH[:N]   the N-th (1) allocation of that place fails
 *   VITRACE_MEMORY_FAIL=call:N     allocation number N fails
 *
 * A place is the same in every run: threads take turns as they like, so numbers alone would mean another call each time.
 * Its hash is made of offsets within the program and libraries, as both are loaded somewhere else each time.
 */
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FRAMES_MAX  14
#define FRAMES_OURS 2 /* this file's */
#define PLACES_MAX  65536u
#define MODULES_MAX 64u

#if defined(UNDER_ADDRESS_SANITIZER)
void *__interceptor_malloc(size_t size);
void *__interceptor_calloc(size_t count, size_t size);
void *__interceptor_realloc(void *old, size_t size);
#define real_malloc  __interceptor_malloc
#define real_calloc  __interceptor_calloc
#define real_realloc __interceptor_realloc
void __lsan_disable(void);
void __lsan_enable(void);
#else
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
#define real_malloc  __libc_malloc
#define real_calloc  __libc_calloc
#define real_realloc __libc_realloc
#define __lsan_disable()
#define __lsan_enable()
#endif

static struct {
    uintptr_t from, to;
} modules[MODULES_MAX];
static unsigned module_count;
static _Atomic uint64_t places[PLACES_MAX];
static _Atomic uint64_t calls, hits;
static uint64_t fail_place, fail_number;
static bool armed;
static int told = -1;
static _Thread_local bool inside; /* backtrace() may allocate */

static int note_module(struct dl_phdr_info *info, size_t size, void *context)
{
    (void)size;
    (void)context;
    for (int i = 0; i < info->dlpi_phnum && module_count < MODULES_MAX; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        if (part->p_type != PT_LOAD || !(part->p_flags & PF_X))
            continue;
        modules[module_count].from = info->dlpi_addr + part->p_vaddr;
        modules[module_count++].to = info->dlpi_addr + part->p_vaddr + part->p_memsz;
    }
    return 0;
}

/* Before main: later the sandbox lets no file be opened. */
__attribute__((constructor)) static void prepare(void)
{
    const char *path = getenv("VITRACE_MEMORY_TOLD"), *fail = getenv("VITRACE_MEMORY_FAIL");
    void *frames[FRAMES_MAX];
    if (path == NULL)
        return;
    inside = true;
    __lsan_disable();
    backtrace(frames, FRAMES_MAX); /* loads its library now, for good */
    __lsan_enable();
    dl_iterate_phdr(note_module, NULL);
    inside = false;
    told = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fail != NULL && strncmp(fail, "call:", 5) == 0) {
        fail_number = strtoull(fail + 5, NULL, 10);
    } else if (fail != NULL) {
        char *end;
        fail_place = strtoull(fail, &end, 16);
        fail_number = *end == ':' ? strtoull(end + 1, NULL, 10) : 1;
    }
    armed = told >= 0;
}

static uint64_t place_of_call(void)
{
    void *frames[FRAMES_MAX];
    int count = backtrace(frames, FRAMES_MAX);
    uint64_t hash = 1;
    for (int i = FRAMES_OURS; i < count; i++) {
        uintptr_t at = (uintptr_t)frames[i];
        for (unsigned m = 0; m < module_count; m++) {
            if (at >= modules[m].from && at < modules[m].to)
                hash = (hash ^ (at - modules[m].from) ^ (uint64_t)m << 56) * 0x9e3779b97f4a7c15u;
        }
        hash ^= hash >> 31;
    }
    return hash | 1;
}

static bool is_new_place(uint64_t place)
{
    for (unsigned at = (unsigned)place % PLACES_MAX, i = 0; i < PLACES_MAX; i++, at = (at + 1) % PLACES_MAX) {
        uint64_t seen = 0;
        if (atomic_compare_exchange_strong(&places[at], &seen, place))
            return true;
        if (seen == place)
            return false;
    }
    return false;
}

static void tell(const char *text, size_t size)
{
    if (write(told, text, size) != (ssize_t)size)
        abort();
}

static void tell_place(uint64_t place, uint64_t number)
{
    char line[64];
    int size = snprintf(line, sizeof line, "%016llx %llu\n", (unsigned long long)place, (unsigned long long)number);
    tell(line, (size_t)size);
}

static bool is_the_one(uint64_t number)
{
    if (fail_number != 0 && fail_place == 0)
        return number == fail_number;
    uint64_t place = place_of_call();
    if (fail_place != 0)
        return place == fail_place && atomic_fetch_add(&hits, 1) + 1 == fail_number;
    if (is_new_place(place))
        tell_place(place, number);
    return false;
}

/* And from where, for addr2line. */
static void tell_failed(void)
{
    void *frames[FRAMES_MAX];
    int count = backtrace(frames, FRAMES_MAX);
    tell("failed\n", 7);
    backtrace_symbols_fd(frames + FRAMES_OURS, count - FRAMES_OURS, told);
}

static bool call_fails(void)
{
    if (!armed || inside)
        return false;
    inside = true;
    bool fails = is_the_one(atomic_fetch_add(&calls, 1) + 1);
    if (fails)
        tell_failed();
    inside = false;
    if (fails)
        errno = ENOMEM;
    return fails;
}

void *malloc(size_t size)
{
    return call_fails() ? NULL : real_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return call_fails() ? NULL : real_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    return call_fails() ? NULL : real_realloc(old, size);
}

#include "collector/app_capacity.h"

#include "collector/base/diag.h"

#include <sched.h>
#include <stdio.h>
#include <sys/resource.h>

#define APP_CAPACITY_THREADS      4u /* of the public listener: beyond that the log's one writer is the limit */
#define APP_CAPACITY_OTLP         256u /* collectors and SDK exporters keep one each */
#define APP_CAPACITY_ADMIN        64u  /* browsers open six each */
#define APP_CAPACITY_JOIN_SHARE   4u /* of the memory: a quarter */
#define APP_CAPACITY_INDEX_SHARE  6u
#define APP_CAPACITY_CLIENT_BYTES (UINT64_C(4) << 20) /* one OTLP request */
#define APP_CAPACITY_OTHER_FILES  320u /* 3 x 64 clients being turned away, the log, the index, epoll */

unsigned app_capacity_threads(enum app_listener which)
{
    cpu_set_t allowed; /* a second loop on one core would only take turns with the first */
    long cores = sched_getaffinity(0, sizeof allowed, &allowed) == 0 ? CPU_COUNT(&allowed) : 1;
    if (which != APP_PUBLIC ||
        cores < 1) /* the index's reader belongs to one thread; OTLP comes in few, large requests */
        return 1;
    return cores > (long)APP_CAPACITY_THREADS ? APP_CAPACITY_THREADS : (unsigned)cores;
}

/* What is left of the process's descriptors, of which it takes all that it may have, for the public listener. */
static unsigned capacity_of_pages(const struct config *config)
{
    const unsigned others = APP_CAPACITY_OTLP + APP_CAPACITY_GRPC + APP_CAPACITY_ADMIN + APP_CAPACITY_OTHER_FILES;
    unsigned wanted = config->limit[CONFIG_LIMIT_CONNECTIONS];
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0)
        return wanted;
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    getrlimit(RLIMIT_NOFILE, &files);
    unsigned room = files.rlim_cur > others + APP_CAPACITY_ADMIN ? (unsigned)files.rlim_cur - others
                                                                    : APP_CAPACITY_ADMIN;
    if (wanted > room)
        diag(DIAG_WARNING, "few_descriptors", "%u connections are taken, not %u: the process may open %u files", room,
             wanted, (unsigned)files.rlim_cur);
    return wanted == 0 || wanted > room ? room : wanted;
}

unsigned app_capacity_connections(const struct config *config, enum app_listener which)
{
    switch (which) {
    case APP_PUBLIC:
        return capacity_of_pages(config);
    case APP_OTLP:
        return APP_CAPACITY_OTLP;
    case APP_ADMIN:
        return APP_CAPACITY_ADMIN;
    case APP_LISTENERS:
        break;
    }
    return 0;
}

/* Behind a proxy of ours every connection is the proxy's. */
unsigned app_capacity_per_peer(const struct config *config, enum app_listener which)
{
    return which == APP_PUBLIC && config->trusted_proxies == 0 ? config->limit[CONFIG_LIMIT_CONNECTIONS_PER_IP] : 0;
}

uint64_t app_capacity_join_bytes(const struct config *config)
{
    return config_memory(config) / APP_CAPACITY_JOIN_SHARE;
}

uint64_t app_capacity_index_bytes(const struct config *config)
{
    return config_memory(config) / APP_CAPACITY_INDEX_SHARE;
}

bool app_capacity_divide(struct memory *memory, char *error, size_t error_size)
{
    uint64_t left = memory_left(memory);
    if (left < APP_CAPACITY_CLIENT_BYTES) {
        snprintf(error, error_size, "memory: the tables leave %llu bytes of %llu for clients: give it more",
                 (unsigned long long)left, (unsigned long long)memory->budget);
        return false;
    }
    memory_divide(memory);
    return true;
}

/*
 * Landlock by its system calls: no library has them, and Debian 12's header knows the first two versions only. The kernel
 * says which version it has; rights of later ones are left out, as it would refuse them.
 *
 *   version   adds
 *         1   the file rights below
 *         2   REFER (rename between folders)
 *         3   TRUNCATE
 *         4   TCP connect (none is ever needed; bind stays free until seccomp closes it)
 *         5   IOCTL_DEV
 *         6   scopes: no signals to, no abstract sockets of, processes outside
 */
#include "collector/sandbox/sandbox.h"
#include "collector/sandbox/sandbox_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    LANDLOCK_EXECUTE = 1 << 0,
    LANDLOCK_WRITE_FILE = 1 << 1,
    LANDLOCK_READ_FILE = 1 << 2,
    LANDLOCK_READ_DIR = 1 << 3,
    LANDLOCK_REMOVE_DIR = 1 << 4,
    LANDLOCK_REMOVE_FILE = 1 << 5,
    LANDLOCK_MAKE_DIR = 1 << 7,
    LANDLOCK_MAKE_REG = 1 << 8,
    LANDLOCK_MAKE_SOCKET = 1 << 9,
    LANDLOCK_REFER = 1 << 13,
    LANDLOCK_TRUNCATE = 1 << 14
};

#define LANDLOCK_CONNECT_TCP     (UINT64_C(1) << 1)
#define LANDLOCK_SCOPES          UINT64_C(3)
#define LANDLOCK_VERSION_QUERY   1u
#define LANDLOCK_PATH_BENEATH    1
#define LANDLOCK_READ            ((uint64_t)(LANDLOCK_READ_FILE | LANDLOCK_READ_DIR))
#define LANDLOCK_OWN                                                                                                   \
    (LANDLOCK_READ | (uint64_t)(LANDLOCK_WRITE_FILE | LANDLOCK_REMOVE_DIR | LANDLOCK_REMOVE_FILE | LANDLOCK_MAKE_DIR | \
                                LANDLOCK_MAKE_REG | LANDLOCK_REFER | LANDLOCK_TRUNCATE))
/* The rights that a rule on a file, not a folder, may name. */
#define LANDLOCK_OF_FILES ((uint64_t)(LANDLOCK_READ_FILE | LANDLOCK_WRITE_FILE | LANDLOCK_TRUNCATE))

struct landlock_ruleset {
    uint64_t handled_fs, handled_net, scoped;
};

struct landlock_rule {
    uint64_t allowed;
    int32_t parent;
} __attribute__((packed));

/* What the C library and libcrypto read by themselves: names of hosts, their own configuration, shared objects. */
static const char *const landlock_system_paths[] = {
    "/etc/hosts", "/etc/host.conf", "/etc/nsswitch.conf", "/etc/resolv.conf", "/etc/services", "/etc/gai.conf",
    "/etc/ssl",   "/etc/pki",       "/etc/crypto-policies", "/usr/lib",       "/lib",          "/lib64",
    "/dev/null",  "/dev/urandom",   "/sys/devices/system/cpu"};

static int landlock_version(void)
{
    return (int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_VERSION_QUERY);
}

static uint64_t landlock_handled_fs(int version)
{
    unsigned rights = version >= 5 ? 16 : version >= 3 ? 15 : version == 2 ? 14 : 13;
    return (UINT64_C(1) << rights) - 1;
}

static int landlock_new_ruleset(int version)
{
    struct landlock_ruleset set = {.handled_fs = landlock_handled_fs(version),
                                   .handled_net = version >= 4 ? LANDLOCK_CONNECT_TCP : 0,
                                   .scoped = version >= 6 ? LANDLOCK_SCOPES : 0};
    size_t size = version >= 6 ? sizeof set : version >= 4 ? 2 * sizeof(uint64_t) : sizeof(uint64_t);
    return (int)syscall(SYS_landlock_create_ruleset, &set, size, 0);
}

/* A path that is not there needs no rule; should it appear later it stays closed. */
static bool landlock_allow(int ruleset, const char *path, uint64_t rights)
{
    struct stat info;
    int parent = path == NULL ? -1 : open(path, O_PATH | O_CLOEXEC);
    if (parent < 0)
        return path == NULL || errno == ENOENT || errno == ENOTDIR;
    if (fstat(parent, &info) == 0 && !S_ISDIR(info.st_mode))
        rights &= LANDLOCK_OF_FILES;
    const struct landlock_rule rule = {.allowed = rights, .parent = parent};
    bool good = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_PATH_BENEATH, &rule, 0) == 0;
    close(parent);
    return good;
}

static bool landlock_fill(int ruleset, int version, const struct sandbox_options *options)
{
    bool good = landlock_allow(ruleset, options->data, LANDLOCK_OWN & landlock_handled_fs(version));
    for (size_t i = 0; i < SANDBOX_PATHS_MAX; i++)
        good = good && landlock_allow(ruleset, options->read_only[i], LANDLOCK_READ);
    for (size_t i = 0; i < SANDBOX_SOCKETS_MAX; i++)
        good = good && landlock_allow(ruleset, options->sockets[i], LANDLOCK_MAKE_SOCKET | LANDLOCK_REMOVE_FILE);
    for (size_t i = 0; i < sizeof landlock_system_paths / sizeof landlock_system_paths[0]; i++)
        good = good && landlock_allow(ruleset, landlock_system_paths[i], LANDLOCK_READ);
    return good && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
}

enum sandbox_result sandbox_enclose(const struct sandbox_options *options, char *text, size_t text_size)
{
    if (SANDBOX_IS_SANITIZED) {
        snprintf(text, text_size, "off: this is a sanitizer build");
        return SANDBOX_UNSUPPORTED;
    }
    int version = landlock_version();
    if (version < 1) {
        snprintf(text, text_size, "no Landlock in this kernel (%s): files are not confined", strerror(errno));
        return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? SANDBOX_UNSUPPORTED : SANDBOX_FAILED;
    }
    int ruleset = landlock_new_ruleset(version);
    bool good = ruleset >= 0 && landlock_fill(ruleset, version, options);
    int why = errno;
    if (ruleset >= 0)
        close(ruleset);
    if (good)
        snprintf(text, text_size, "Landlock version %d: writes below %s only", version, options->data);
    else
        snprintf(text, text_size, "Landlock version %d: %s", version, strerror(why));
    return good ? SANDBOX_ON : SANDBOX_FAILED;
}

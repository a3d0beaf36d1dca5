/* From root to a user, keeping of root's powers only what opens ports below 1024; sandbox_seal() takes that too. */
#include "collector/sandbox/sandbox.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool user_keep_ports(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {{0}, {0}};
    data[0].effective = data[0].permitted = 1u << CAP_NET_BIND_SERVICE;
    return syscall(SYS_capset, &header, data) == 0;
}

static bool user_own_folder(const struct passwd *user, const char *folder)
{
    if (mkdir(folder, 0700) != 0)
        return errno == EEXIST; /* whose it is, is the administrator's choice */
    return chown(folder, user->pw_uid, user->pw_gid) == 0;
}

static bool user_become(const struct passwd *user)
{
    return prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == 0 && initgroups(user->pw_name, user->pw_gid) == 0 &&
           setresgid(user->pw_gid, user->pw_gid, user->pw_gid) == 0 &&
           setresuid(user->pw_uid, user->pw_uid, user->pw_uid) == 0 && user_keep_ports() &&
           setuid(0) != 0; /* the way back is closed */
}

bool sandbox_drop_user(const char *name, const char *folder, char *error, size_t error_size)
{
    errno = 0;
    const struct passwd *user = getpwnam(name);
    if (user == NULL || user->pw_uid == 0) {
        snprintf(error, error_size, "user: '%.64s' %s", name, user == NULL ? "does not exist" : "is root");
        return false;
    }
    if (geteuid() == user->pw_uid)
        return true;
    if (geteuid() != 0) {
        snprintf(error, error_size, "user: only root can become '%.64s'", name);
        return false;
    }
    if (user_own_folder(user, folder) && user_become(user))
        return true;
    snprintf(error, error_size, "user: cannot become '%.64s': %s", name, strerror(errno));
    return false;
}

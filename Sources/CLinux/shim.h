/* What Swift's C importer cannot see: macros, variadic calls and syscalls without a wrapper in
 * glibc 2.36. No logic lives here.
 *
 * Without _GNU_SOURCE: it changes types that the Glibc module declares too, and a module that imports both, or
 * Foundation, would not compile. What needs it is called by number here. */
#pragma once
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/timex.h>
#include <sys/types.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Memory that is free again belongs to one of so few heaps; glibc would keep some for each thread. */
static inline void cvr_bound_heaps(int most) { (void)mallopt(M_ARENA_MAX, most); }

/* pidfd_open(2), pidfd_send_signal(2), waitid(P_PIDFD). */
static inline int cvr_pidfd_open(pid_t pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }
static inline int cvr_pidfd_send_signal(int fd, int sig) { return (int)syscall(SYS_pidfd_send_signal, fd, sig, NULL, 0); }
static inline int cvr_waitid_pidfd(int fd, siginfo_t *info, int options) {
    return waitid((idtype_t)3 /* P_PIDFD */, (id_t)fd, info, options);
}
static inline pid_t cvr_siginfo_pid(const siginfo_t *info) { return info->si_pid; }
static inline int cvr_siginfo_status(const siginfo_t *info) { return info->si_status; }
static inline int cvr_siginfo_code(const siginfo_t *info) { return info->si_code; }

/* open(2) and fcntl(2) are variadic. */
static inline int cvr_open(const char *path, int flags, mode_t mode) { return open(path, flags | O_CLOEXEC, mode); }
static inline int cvr_openat(int dir, const char *path, int flags, mode_t mode) {
    return openat(dir, path, flags | O_CLOEXEC, mode);
}
static inline int cvr_set_nonblocking(int fd) {
    int flags = fcntl(fd, F_GETFL);
    return flags < 0 ? -1 : fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

/* fallocate(2) with FALLOC_FL_KEEP_SIZE: headroom that does not change the file's length. */
static inline int cvr_preallocate(int fd, off_t offset, off_t length) {
    return (int)syscall(SYS_fallocate, fd, 1 /* KEEP_SIZE */, offset, length);
}

/* <spawn.h> and <unistd.h> show these only with _GNU_SOURCE. */
extern int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *, int);
extern char **environ;
static inline char **cvr_environ(void) { return environ; }

/* SIG_IGN is a cast. */
static inline void cvr_ignore_signal(int number) { signal(number, SIG_IGN); }

/* accept4(2). */
static inline int cvr_accept(int listener) { return accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC); }

/* SO_PEERCRED of a connected Unix socket. */
static inline int cvr_peer(int fd, pid_t *pid, uid_t *uid, gid_t *gid) {
    struct { pid_t pid; uid_t uid; gid_t gid; } peer;
    socklen_t length = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) return -1;
    *pid = peer.pid; *uid = peer.uid; *gid = peer.gid;
    return 0;
}

/* 1 while the kernel says that the clock is disciplined (adjtimex(2) is not TIME_ERROR, and says anything), -1 when
 * nobody can tell.
 *
 * Under ProtectClock= it may not be asked. Then systemd-timesyncd's word counts: it touches this file at each
 * synchronisation, every 34 min at most, and the kernel would believe it for 32000 s (NTP_PHASE_LIMIT at 500 ppm).
 * Of other time services cvrd hears on the bus. */
static inline int cvr_clock_synchronised(void) {
    struct timex query;
    struct stat touched;
    memset(&query, 0, sizeof query);
    int state = adjtimex(&query);
    if (state >= 0 || errno != EPERM) return state >= 0 && state != TIME_ERROR;
    if (stat("/run/systemd/timesync/synchronized", &touched) != 0) return -1;
    time_t age = time(NULL) - touched.st_mtime;
    return age >= 0 && age < 32000 ? 1 : -1;
}

/* clock_gettime(2); where NIO is imported too, struct timespec is not visible by its members. */
static inline int64_t cvr_clock_microseconds(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return (int64_t)time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

/* When a file was last written, in seconds; -1 when it cannot be told. For whoever does not see struct timespec. */
static inline int64_t cvr_modified(const char *path) {
    struct stat facts;
    return stat(path, &facts) == 0 ? (int64_t)facts.st_mtime : -1;
}

static inline unsigned cvr_major(dev_t device) { return major(device); }
static inline unsigned cvr_minor(dev_t device) { return minor(device); }

/* O_TMPFILE shows only with _GNU_SOURCE. */
static inline int cvr_nameless_file(void) { return __O_TMPFILE; }

/* renameat2(2) with RENAME_NOREPLACE. */
static inline int cvr_rename_new(int dir, const char *from, const char *to) {
    return (int)syscall(SYS_renameat2, dir, from, dir, to, 1);
}

/* prctl(2) is variadic. */
static inline int cvr_forbid_dumps(void) { return (int)syscall(SYS_prctl, 4 /* PR_SET_DUMPABLE */, 0, 0, 0, 0); }

static inline int cvr_forbid_new_privileges(void) {
    return (int)syscall(SYS_prctl, 38 /* PR_SET_NO_NEW_PRIVS */, 1, 0, 0, 0);
}

/* Landlock (landlock(7)): no call of it is in glibc, and the headers of Linux 6.1 end at its version 2. A kernel takes
 * a structure that is longer than its own as long as the rest is zero. */
static inline int cvr_landlock_version(void) { return (int)syscall(444, NULL, (size_t)0, 1u); }
static inline int cvr_landlock_create(uint64_t files, uint64_t network, uint64_t scopes) {
    struct { uint64_t files, network, scopes; } handled = { files, network, scopes };
    return (int)syscall(444, &handled, sizeof handled, 0u);
}
static inline int cvr_landlock_allow(int ruleset, int path, uint64_t rights) {
    struct __attribute__((packed)) { uint64_t rights; int32_t path; } rule = { rights, path };
    return (int)syscall(445, ruleset, 1 /* LANDLOCK_RULE_PATH_BENEATH */, &rule, 0u);
}
static inline int cvr_landlock_restrict(int ruleset) { return (int)syscall(446, ruleset, 0u); }

/* fork(2) is hidden from Swift, for whoever has threads; for a process that has one. */
static inline pid_t cvr_fork(void) { return fork(); }

/* For such a fork: it does not outlive who waits for it. */
static inline int cvr_die_with_parent(void) { return (int)syscall(SYS_prctl, 1 /* PR_SET_PDEATHSIG */, SIGKILL, 0, 0, 0); }

/* O_PATH is shown only with _GNU_SOURCE: names a file without opening it. */
static inline int cvr_open_path(const char *path) { return open(path, 010000000 | O_CLOEXEC); }

/* realpath(3) allocates. */
static inline int cvr_real_path(const char *path, char *buffer, size_t size) {
    char *found = realpath(path, NULL);
    if (!found) return -1;
    int fits = strlen(found) < size;
    if (fits) strcpy(buffer, found);
    free(found);
    return fits ? 0 : -1;
}

/* Atomic, for a counter shared by threads; returns the new value. */
static inline int cvr_decrement(int *counter) { return __atomic_sub_fetch(counter, 1, __ATOMIC_SEQ_CST); }

/* errno is a macro. */
static inline int cvr_errno(void) { return errno; }
static inline void cvr_clear_errno(void) { errno = 0; }

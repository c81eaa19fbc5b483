/* What Swift's C importer cannot see of libseccomp, and the handler of SIGSYS, which may run no Swift. */
#pragma once
#include <errno.h>
#include <seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A macro with a parameter. */
static inline uint32_t cvr_seccomp_errno(int number) { return SCMP_ACT_ERRNO((unsigned)number); }

/* Says on standard error which call was refused, and dies of SIGSYS as if there were no handler; async-signal-safe. */
static inline void cvr_on_forbidden_call(int signal_number, siginfo_t *info, void *context) {
    (void)context;
    int number = info->si_syscall < 0 ? 0 : info->si_syscall;
    char line[64] = "sandbox: system call ";
    size_t end = strlen(line), digits = 1;
    for (int rest = number; rest > 9; rest /= 10) digits++;
    for (size_t place = digits; place-- > 0; number /= 10) line[end + place] = (char)('0' + number % 10);
    end += digits;
    memcpy(line + end, " refused\n", 9);
    (void)!write(STDERR_FILENO, line, end + 9);
    signal(signal_number, SIG_DFL);
    /* Blocked while this runs: it strikes on return. */
    syscall(SYS_tgkill, getpid(), (pid_t)syscall(SYS_gettid), signal_number);
}

static inline int cvr_watch_forbidden_calls(void) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = cvr_on_forbidden_call;
    action.sa_flags = SA_SIGINFO;
    return sigaction(SIGSYS, &action, NULL);
}

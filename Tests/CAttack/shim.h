/* What an attacker in a worker's memory would do and Swift cannot say: any system call, by number. */
#pragma once
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

/* 0, or the errno; what the call returned in `result`. */
static inline int attack_call(long *result, long number, long a, long b, long c, long d, long e, long f) {
    *result = syscall(number, a, b, c, d, e, f);
    return *result < 0 ? errno : 0;
}

static inline int attack_fork(void) { return fork(); }

/* Connects a descriptor to a Unix socket; a name that begins with @ is abstract. */
static inline int attack_connect_unix(int fd, const char *name) {
    struct sockaddr_un address;
    memset(&address, 0, sizeof address);
    address.sun_family = AF_UNIX;
    size_t length = strlen(name);
    if (length >= sizeof address.sun_path) return ENAMETOOLONG;
    memcpy(address.sun_path, name, length);
    if (name[0] == '@') address.sun_path[0] = 0;
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + (name[0] == '@' ? 0 : 1));
    return connect(fd, (struct sockaddr *)&address, size) == 0 ? 0 : errno;
}

static inline int attack_listen_unix(const char *name) {
    struct sockaddr_un address;
    memset(&address, 0, sizeof address);
    address.sun_family = AF_UNIX;
    size_t length = strlen(name);
    if (length >= sizeof address.sun_path) return -1;
    memcpy(address.sun_path, name, length);
    if (name[0] == '@') address.sun_path[0] = 0;
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + (name[0] == '@' ? 0 : 1));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) != 0 || listen(fd, 8) != 0) return -1;
    return fd;
}

/* A TCP listener of this machine's own; the port in host order, 0 when there is none. */
static inline int attack_listen_tcp(void) {
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) != 0 || listen(fd, 8) != 0) return 0;
    return getsockname(fd, (struct sockaddr *)&address, &size) == 0 ? ntohs(address.sin_port) : 0;
}

/* Sends a byte with MSG_FASTOPEN, or connects first. */
static inline int attack_tcp(int family, int protocol, int port, int fast) {
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, protocol);
    if (fd < 0) return errno;
    if (!fast) return connect(fd, (struct sockaddr *)&address, sizeof address) == 0 ? 0 : errno;
    return sendto(fd, "x", 1, 0x20000000, (struct sockaddr *)&address, sizeof address) == 1 ? 0 : errno;
}

/* 0 when the name has an address. */
static inline int attack_resolve(const char *name) {
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found = NULL;
    int failure = getaddrinfo(name, "554", &hints, &found);
    if (found) freeaddrinfo(found);
    return failure == 0 ? 0 : ENOENT;
}

/* Reads or writes the first bytes of another process's program. */
static inline int attack_memory(pid_t pid, int writing, void *at) {
    char bytes[8];
    struct iovec own = { bytes, sizeof bytes }, other = { at, sizeof bytes };
    long moved = syscall(writing ? SYS_process_vm_writev : SYS_process_vm_readv, (long)pid, &own, 1L, &other, 1L, 0L);
    return moved > 0 ? 0 : errno;
}

/* A library to preload: it counts the calls that change what is below a folder, and at one of them the process group is
 * killed or the call fails. All processes of a run count together, by a number in a shared file.
 *
 * FAULT_FOLDER   the folder
 * FAULT_COUNTER  a file of eight bytes, the count
 * FAULT_AT       the call, from 1; 0 only counts
 * FAULT_MODE     kill: die before the call; torn: write half, then die; EIO, ENOSPC: the call fails
 *
 * Only calls that go through the C library are seen. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static _Atomic long *counter;
static long fault_at;
static const char *fault_mode = "";
static const char *folder;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("FAULT_COUNTER"), *at = getenv("FAULT_AT"), *mode = getenv("FAULT_MODE");
    folder = getenv("FAULT_FOLDER");
    if (!path || !folder || !at || !mode) return;
    int file = (open)(path, O_RDWR | O_CLOEXEC);
    if (file < 0) abort();
    void *page = mmap(NULL, sizeof(long), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (page == MAP_FAILED) abort();
    fault_at = atol(at);
    fault_mode = mode;
    counter = page;
}

static int is_below(const char *path) {
    size_t length = strlen(folder);
    return strncmp(path, folder, length) == 0 && path[length] == '/';
}

static int path_of(int fd, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return 1;
}

static int is_file_below(int fd) {
    char path[PATH_MAX];
    /* The folder itself counts too: forcing it to the disk makes names last. */
    return counter && path_of(fd, path) && (is_below(path) || strcmp(path, folder) == 0);
}

static int is_name_below(int at, const char *name) {
    char path[PATH_MAX];
    if (!counter) return 0;
    if (name[0] == '/') return is_below(name);
    if (at == AT_FDCWD) return getcwd(path, sizeof path) && (is_below(path) || strcmp(path, folder) == 0);
    return is_file_below(at);
}

/* Counts a call; returns the error it is to fail with, -1 for a torn write, 0 to go on. */
static int fault(int is_write) {
    if (atomic_fetch_add(counter, 1) + 1 != fault_at) return 0;
    if (strcmp(fault_mode, "EIO") == 0) return EIO;
    if (strcmp(fault_mode, "ENOSPC") == 0) return ENOSPC;
    if (strcmp(fault_mode, "torn") == 0 && is_write) return -1;
    kill(0, SIGKILL);
    for (;;) pause();
}

static void die(void) {
    kill(0, SIGKILL);
    for (;;) pause();
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define MAY_FAIL(condition)            \
    if (condition) {                   \
        int error = fault(0);          \
        if (error) {                   \
            errno = error;             \
            return -1;                 \
        }                              \
    }
#define MAY_TEAR(half)                 \
    if (is_file_below(fd)) {           \
        int error = fault(1);          \
        if (error == -1) {             \
            half;                      \
            die();                     \
        }                              \
        if (error) {                   \
            errno = error;             \
            return -1;                 \
        }                              \
    }

ssize_t write(int fd, const void *bytes, size_t count) {
    MAY_TEAR(REAL(write)(fd, bytes, count / 2));
    return REAL(write)(fd, bytes, count);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset) {
    MAY_TEAR(REAL(pwrite)(fd, bytes, count / 2, offset));
    return REAL(pwrite)(fd, bytes, count, offset);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t offset) {
    MAY_TEAR(REAL(pwrite64)(fd, bytes, count / 2, offset));
    return REAL(pwrite64)(fd, bytes, count, offset);
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
    MAY_TEAR(REAL(writev)(fd, parts, count > 1 ? count / 2 : 0));
    return REAL(writev)(fd, parts, count);
}

int fsync(int fd) {
    MAY_FAIL(is_file_below(fd));
    return REAL(fsync)(fd);
}

int fdatasync(int fd) {
    MAY_FAIL(is_file_below(fd));
    return REAL(fdatasync)(fd);
}

int ftruncate(int fd, off_t length) {
    MAY_FAIL(is_file_below(fd));
    return REAL(ftruncate)(fd, length);
}

int ftruncate64(int fd, off64_t length) {
    MAY_FAIL(is_file_below(fd));
    return REAL(ftruncate64)(fd, length);
}

#define OPEN(name, at, declared, passed)                                         \
    int name declared {                                                          \
        mode_t mode = 0;                                                         \
        if (flags & (O_CREAT | O_TMPFILE)) {                                     \
            va_list more;                                                        \
            va_start(more, flags);                                               \
            mode = va_arg(more, mode_t);                                         \
            va_end(more);                                                        \
        }                                                                        \
        MAY_FAIL((flags & O_CREAT) && is_name_below(at, path));                  \
        return REAL(name) passed;                                                \
    }

OPEN(open, AT_FDCWD, (const char *path, int flags, ...), (path, flags, mode))
OPEN(open64, AT_FDCWD, (const char *path, int flags, ...), (path, flags, mode))
OPEN(openat, at, (int at, const char *path, int flags, ...), (at, path, flags, mode))
OPEN(openat64, at, (int at, const char *path, int flags, ...), (at, path, flags, mode))

int mkdir(const char *path, mode_t mode) {
    MAY_FAIL(is_name_below(AT_FDCWD, path));
    return REAL(mkdir)(path, mode);
}

int rename(const char *from, const char *to) {
    MAY_FAIL(is_name_below(AT_FDCWD, to));
    return REAL(rename)(from, to);
}

int unlink(const char *path) {
    MAY_FAIL(is_name_below(AT_FDCWD, path));
    return REAL(unlink)(path);
}

int rmdir(const char *path) {
    MAY_FAIL(is_name_below(AT_FDCWD, path));
    return REAL(rmdir)(path);
}

int unlinkat(int at, const char *path, int flags) {
    MAY_FAIL(is_name_below(at, path));
    return REAL(unlinkat)(at, path, flags);
}

/* A library to preload: it counts the calls that change what is in a folder, and at one of them something happens. The calls of
 * all threads count together.
 *
 * FAULT_FOLDER   the folder, without folders of its own
 * FAULT_COUNTER  a file of eight bytes, the count
 * FAULT_AT       the call, from 1; 0 only counts
 * FAULT_MODE     kill: die before the call; torn: write half, then die; EIO, ENOSPC: the call fails;
 *                loss: what was not forced to the disk is undone, then die, as where the power fails
 * FAULT_SEED     of a loss: 0 undoes everything, another number chance's choice, sector by sector
 *
 * Only calls that go through the C library are seen. What is written through a mapping is not: SQLite maps its index of the log only,
 * which it makes anew after a crash, so that a loss leaves it alone. A new name lasts once its folder was forced to the disk; not
 * every file system asks for that, but some do. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define SECTOR 512
#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static long *counter;
static long fault_at;
static unsigned seed;
static const char *fault_mode = "";
static const char *folder;
static int is_loss;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("FAULT_COUNTER"), *at = getenv("FAULT_AT"), *mode = getenv("FAULT_MODE");
    folder = getenv("FAULT_FOLDER");
    if (!path || !folder || !at || !mode) return;
    int file = REAL(open)(path, O_RDWR | O_CLOEXEC);
    if (file < 0) abort();
    void *page = mmap(NULL, sizeof(long), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (page == MAP_FAILED) abort();
    fault_at = atol(at);
    fault_mode = mode;
    is_loss = strcmp(mode, "loss") == 0;
    seed = getenv("FAULT_SEED") ? (unsigned)atol(getenv("FAULT_SEED")) : 0;
    counter = page;
}

static int is_counted(const char *path) {
    size_t length = strlen(folder);
    if (strncmp(path, folder, length) != 0 || (path[length] != '/' && path[length] != 0)) return 0;
    size_t whole = strlen(path);
    return !(is_loss && whole > 4 && strcmp(path + whole - 4, "-shm") == 0);
}

static int is_open_there(int fd) {
    char link[64], path[PATH_MAX];
    if (!counter) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return is_counted(path);
}

static int is_name_there(const char *path) {
    return counter && path[0] == '/' && is_counted(path);
}

/* What a loss undoes: a change of a file's bytes, a new name, or a name that is no more. */
enum what { BYTES, CREATED, REMOVED };
struct change {
    enum what what;
    ino_t file;
    int fd; /* of the file, kept open as long as the process lives */
    char *path, *kept_as;
    off_t from, size_before;
    size_t length;
    char *before;
};

static struct change *changes;
static size_t changes_count, changes_room;

static struct change *note(enum what what) {
    if (changes_count == changes_room) {
        changes_room = changes_room ? 2 * changes_room : 256;
        changes = realloc(changes, changes_room * sizeof *changes);
        if (!changes) abort();
    }
    struct change *change = &changes[changes_count++];
    memset(change, 0, sizeof *change);
    change->what = what;
    return change;
}

/* A descriptor of the file that is open as another one: by that one's number, the caller may close it. */
static int own_descriptor(int fd, ino_t file) {
    for (size_t at = 0; at < changes_count; at++)
        if (changes[at].what == BYTES && changes[at].file == file) return changes[at].fd;
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    int own = REAL(open)(link, O_RDWR | O_CLOEXEC);
    if (own < 0) abort();
    return own;
}

static void note_bytes(int fd, off_t from, size_t length) {
    struct stat status;
    if (fstat(fd, &status)) abort();
    int own = own_descriptor(fd, status.st_ino);
    struct change *change = note(BYTES);
    change->file = status.st_ino;
    change->fd = own;
    change->from = from;
    change->size_before = status.st_size;
    change->length = length;
    change->before = calloc(1, length + 1);
    if (!change->before || pread(own, change->before, length, from) < 0) abort();
}

/* A file that is cut loses what is behind; one that is grown loses nothing. */
static void note_size(int fd, off_t size) {
    struct stat status;
    if (fstat(fd, &status)) abort();
    note_bytes(fd, size, status.st_size > size ? (size_t)(status.st_size - size) : 0);
}

static void note_removed(const char *path) {
    char kept_as[PATH_MAX];
    struct stat status;
    if (stat(path, &status)) return;
    snprintf(kept_as, sizeof kept_as, "%s.undo%zu", path, changes_count);
    if (link(path, kept_as)) abort();
    struct change *change = note(REMOVED);
    change->path = strdup(path);
    change->kept_as = strdup(kept_as);
}

static void undo_bytes(struct change *change, int sectors_only) {
    off_t end = change->from + (off_t)change->length;
    for (off_t at = change->from; at < end;) {
        off_t next = (at / SECTOR + 1) * SECTOR;
        if (next > end) next = end;
        if (!sectors_only || (rand_r(&seed) & 1))
            REAL(pwrite)(change->fd, change->before + (at - change->from), (size_t)(next - at), at);
        at = next;
    }
    if (!sectors_only) REAL(ftruncate)(change->fd, change->size_before);
}

static void lose(void) {
    for (size_t left = changes_count; left > 0; left--) {
        struct change *change = &changes[left - 1];
        int chosen = seed ? rand_r(&seed) % 3 : 0;
        if (chosen == 1) continue;
        switch (change->what) {
        case BYTES: undo_bytes(change, chosen == 2); break;
        case CREATED: REAL(unlink)(change->path); break;
        case REMOVED: REAL(rename)(change->kept_as, change->path); break;
        }
    }
}

/* What was forced to the disk is not undone. */
static void forget(int fd) {
    struct stat status;
    if (fstat(fd, &status)) abort();
    size_t kept = 0;
    for (size_t at = 0; at < changes_count; at++) {
        struct change *change = &changes[at];
        int is_forced = S_ISDIR(status.st_mode) ? change->what != BYTES
                                                : change->what == BYTES && change->file == status.st_ino;
        if (is_forced) {
            if (change->kept_as) REAL(unlink)(change->kept_as);
            free(change->before);
            free(change->path);
            free(change->kept_as);
        } else {
            changes[kept++] = *change;
        }
    }
    changes_count = kept;
}

static void die(void) {
    kill(0, SIGKILL);
    for (;;) pause();
}

/* Counts a call; returns the error it is to fail with, -1 for a torn write, 0 to go on. */
static int fault(int is_write) {
    if (++*counter != fault_at) return 0;
    if (strcmp(fault_mode, "EIO") == 0) return EIO;
    if (strcmp(fault_mode, "ENOSPC") == 0) return ENOSPC;
    if (strcmp(fault_mode, "torn") == 0 && is_write) return -1;
    if (is_loss) lose();
    die();
    return 0;
}

/* One counted call at a time: what is noted before it is what it changes. */
#define COUNTED(is_write, half, noted, call)   \
    pthread_mutex_lock(&mutex);                \
    int error = fault(is_write);               \
    if (error == -1) {                         \
        half;                                  \
        die();                                 \
    }                                          \
    if (error) {                               \
        pthread_mutex_unlock(&mutex);          \
        errno = error;                         \
        return -1;                             \
    }                                          \
    if (is_loss) {                             \
        noted;                                 \
    }                                          \
    __typeof__(call) done = call;              \
    int said = errno;                          \
    pthread_mutex_unlock(&mutex);              \
    errno = said;                              \
    return done;

ssize_t write(int fd, const void *bytes, size_t count) {
    if (!is_open_there(fd)) return REAL(write)(fd, bytes, count);
    COUNTED(1, REAL(write)(fd, bytes, count / 2), note_bytes(fd, lseek(fd, 0, SEEK_CUR), count),
            REAL(write)(fd, bytes, count))
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset) {
    if (!is_open_there(fd)) return REAL(pwrite)(fd, bytes, count, offset);
    COUNTED(1, REAL(pwrite)(fd, bytes, count / 2, offset), note_bytes(fd, offset, count),
            REAL(pwrite)(fd, bytes, count, offset))
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t offset) {
    if (!is_open_there(fd)) return REAL(pwrite64)(fd, bytes, count, offset);
    COUNTED(1, REAL(pwrite64)(fd, bytes, count / 2, offset), note_bytes(fd, offset, count),
            REAL(pwrite64)(fd, bytes, count, offset))
}

int fsync(int fd) {
    if (!is_open_there(fd)) return REAL(fsync)(fd);
    COUNTED(0, , forget(fd), REAL(fsync)(fd))
}

int fdatasync(int fd) {
    if (!is_open_there(fd)) return REAL(fdatasync)(fd);
    COUNTED(0, , forget(fd), REAL(fdatasync)(fd))
}

int ftruncate(int fd, off_t length) {
    if (!is_open_there(fd)) return REAL(ftruncate)(fd, length);
    COUNTED(0, , note_size(fd, length), REAL(ftruncate)(fd, length))
}

int ftruncate64(int fd, off64_t length) {
    if (!is_open_there(fd)) return REAL(ftruncate64)(fd, length);
    COUNTED(0, , note_size(fd, length), REAL(ftruncate64)(fd, length))
}

int unlink(const char *path) {
    if (!is_name_there(path)) return REAL(unlink)(path);
    COUNTED(0, , note_removed(path), REAL(unlink)(path))
}

/* Opening counts where it makes a file. */
#define OPEN(name)                                                                      \
    int name(const char *path, int flags, ...) {                                        \
        mode_t mode = 0;                                                                \
        if (flags & (O_CREAT | O_TMPFILE)) {                                            \
            va_list more;                                                               \
            va_start(more, flags);                                                      \
            mode = va_arg(more, mode_t);                                                \
            va_end(more);                                                               \
        }                                                                               \
        if (!(flags & O_CREAT) || !is_name_there(path) || access(path, F_OK) == 0)      \
            return REAL(name)(path, flags, mode);                                       \
        COUNTED(0, , note(CREATED)->path = strdup(path), REAL(name)(path, flags, mode)) \
    }

OPEN(open)
OPEN(open64)

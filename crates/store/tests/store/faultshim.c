/* A library to preload: it counts the calls that change what is in a folder and below it, and at one of them something happens. The
 * calls of all threads count together, and those of the processes that they start.
 *
 * FAULT_FOLDER   the folder, as an absolute path without links
 * FAULT_COUNTER  a file of eight bytes, the count; what a loss has to put back is kept beside it
 * FAULT_AT       the call, from 1; 0 only counts
 * FAULT_CALLS    how many calls fail from there on, where calls fail; by default one
 * FAULT_MODE     kill: die before the call; torn: write half, then die; EIO, ENOSPC, EDQUOT, EROFS: the call fails;
 *                EINTR, EAGAIN: it fails where it writes; short: half is written, and that is what is said;
 *                loss: what was not forced to the disk is undone, then die, as where the power fails
 * FAULT_SEED     of a loss: 0 undoes everything, another number chance's choice, sector by sector
 *
 * A loss undoes what its own process has done: what another one has left that ended before is taken as forced to the disk.
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
static long fault_at, fault_calls = 1;
static const char *beside;
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
    if (getenv("FAULT_CALLS")) fault_calls = atol(getenv("FAULT_CALLS"));
    beside = path;
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
enum what { BYTES, CREATED, REMOVED, RENAMED };
struct change {
    enum what what;
    ino_t file; /* the file; of a name, its folder */
    int fd;     /* of the file, open until nothing of it is left to undo */
    char *path, *kept_as, *renamed_to;
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

static ino_t folder_of(const char *path) {
    char folder[PATH_MAX];
    struct stat status;
    snprintf(folder, sizeof folder, "%s", path);
    *strrchr(folder, '/') = 0;
    return stat(folder, &status) ? 0 : status.st_ino;
}

static void note_created(const char *path) {
    ino_t folder = folder_of(path);
    if (!folder) return; /* the call is about to fail */
    struct change *change = note(CREATED);
    change->file = folder;
    change->path = strdup(path);
}

/* Another name of a file that is about to lose this one; none of a folder, which is empty by then. */
static char *kept(const char *path) {
    char name[PATH_MAX];
    struct stat status;
    if (stat(path, &status) || S_ISDIR(status.st_mode)) return NULL;
    snprintf(name, sizeof name, "%s.%d.%zu", beside, getpid(), changes_count);
    if (REAL(link)(path, name)) abort();
    return strdup(name);
}

static void note_removed(const char *path) {
    if (access(path, F_OK)) return;
    char *kept_as = kept(path);
    struct change *change = note(REMOVED);
    change->file = folder_of(path);
    change->path = strdup(path);
    change->kept_as = kept_as;
}

static void note_renamed(const char *from, const char *to) {
    char *kept_as = kept(to);
    struct change *change = note(RENAMED);
    change->file = folder_of(to);
    change->path = strdup(from);
    change->renamed_to = strdup(to);
    change->kept_as = kept_as;
}

/* A folder goes with what is in it, however well that was forced to the disk. */
static void undo_created(const char *path, size_t number) {
    char name[PATH_MAX];
    if (REAL(unlink)(path) == 0) return;
    snprintf(name, sizeof name, "%s.%d.lost-%zu", beside, getpid(), number);
    REAL(rename)(path, name);
}

static void undo_removed(struct change *change) {
    if (change->kept_as) REAL(rename)(change->kept_as, change->path);
    else REAL(mkdir)(change->path, 0700);
}

static void undo_renamed(struct change *change) {
    REAL(rename)(change->renamed_to, change->path);
    if (change->kept_as) REAL(rename)(change->kept_as, change->renamed_to);
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
        case CREATED: undo_created(change->path, left); break;
        case REMOVED: undo_removed(change); break;
        case RENAMED: undo_renamed(change); break;
        }
    }
}

/* What was forced to the disk is not undone. */
static void forget(int fd) {
    struct stat status;
    if (fstat(fd, &status)) abort();
    size_t left = 0;
    int is_folder = S_ISDIR(status.st_mode), own = -1;
    for (size_t at = 0; at < changes_count; at++) {
        struct change *change = &changes[at];
        if (change->file == status.st_ino && is_folder == (change->what != BYTES)) {
            if (change->what == BYTES) own = change->fd;
            if (change->kept_as) REAL(unlink)(change->kept_as);
            free(change->before);
            free(change->path);
            free(change->kept_as);
            free(change->renamed_to);
        } else {
            changes[left++] = *change;
        }
    }
    changes_count = left;
    if (own >= 0) close(own);
}

static void die(void) {
    kill(0, SIGKILL);
    for (;;) pause();
}

/* Counts a call; returns the error it is to fail with, -1 for a torn write, -2 for a short one, 0 to go on. */
static int fault(int is_write) {
    long call = __atomic_add_fetch(counter, 1, __ATOMIC_SEQ_CST);
    int fails = fault_mode[0] == 'E' || fault_mode[0] == 's';
    if (call < fault_at || fault_at == 0 || call >= fault_at + (fails ? fault_calls : 1)) return 0;
    if (strcmp(fault_mode, "EIO") == 0) return EIO;
    if (strcmp(fault_mode, "ENOSPC") == 0) return ENOSPC;
    if (strcmp(fault_mode, "EDQUOT") == 0) return EDQUOT;
    if (strcmp(fault_mode, "EROFS") == 0) return EROFS;
    if (strcmp(fault_mode, "EINTR") == 0) return is_write ? EINTR : 0;
    if (strcmp(fault_mode, "EAGAIN") == 0) return is_write ? EAGAIN : 0;
    if (strcmp(fault_mode, "short") == 0) return is_write ? -2 : 0;
    if (strcmp(fault_mode, "torn") == 0 && is_write) return -1;
    if (is_loss) lose();
    die();
    return 0;
}

#define HALF(count) ((count) > 1 ? (count) / 2 : (count))

/* One counted call at a time: what is noted before it is what it changes. */
#define COUNTED(is_write, half, noted, call)   \
    pthread_mutex_lock(&mutex);                \
    int error = fault(is_write);               \
    if (error == -1) {                         \
        (void)half;                            \
        die();                                 \
    }                                          \
    if (error == -2) {                         \
        pthread_mutex_unlock(&mutex);          \
        return half;                           \
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
    COUNTED(1, REAL(write)(fd, bytes, HALF(count)), note_bytes(fd, lseek(fd, 0, SEEK_CUR), count),
            REAL(write)(fd, bytes, count))
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset) {
    if (!is_open_there(fd)) return REAL(pwrite)(fd, bytes, count, offset);
    COUNTED(1, REAL(pwrite)(fd, bytes, HALF(count), offset), note_bytes(fd, offset, count),
            REAL(pwrite)(fd, bytes, count, offset))
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t offset) {
    if (!is_open_there(fd)) return REAL(pwrite64)(fd, bytes, count, offset);
    COUNTED(1, REAL(pwrite64)(fd, bytes, HALF(count), offset), note_bytes(fd, offset, count),
            REAL(pwrite64)(fd, bytes, count, offset))
}

int fsync(int fd) {
    if (!is_open_there(fd)) return REAL(fsync)(fd);
    COUNTED(0, 0, forget(fd), REAL(fsync)(fd))
}

int fdatasync(int fd) {
    if (!is_open_there(fd)) return REAL(fdatasync)(fd);
    COUNTED(0, 0, forget(fd), REAL(fdatasync)(fd))
}

int ftruncate(int fd, off_t length) {
    if (!is_open_there(fd)) return REAL(ftruncate)(fd, length);
    COUNTED(0, 0, note_size(fd, length), REAL(ftruncate)(fd, length))
}

int ftruncate64(int fd, off64_t length) {
    if (!is_open_there(fd)) return REAL(ftruncate64)(fd, length);
    COUNTED(0, 0, note_size(fd, length), REAL(ftruncate64)(fd, length))
}

int unlink(const char *path) {
    if (!is_name_there(path)) return REAL(unlink)(path);
    COUNTED(0, 0, note_removed(path), REAL(unlink)(path))
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
    if (!is_open_there(fd)) return REAL(writev)(fd, parts, count);
    size_t length = 0;
    for (int at = 0; at < count; at++) length += parts[at].iov_len;
    COUNTED(1, REAL(writev)(fd, parts, HALF(count)), note_bytes(fd, lseek(fd, 0, SEEK_CUR), length),
            REAL(writev)(fd, parts, count))
}

ssize_t copy_file_range(int in, off64_t *from, int out, off64_t *to, size_t length, unsigned flags) {
    if (!is_open_there(out)) return REAL(copy_file_range)(in, from, out, to, length, flags);
    struct stat status;
    if (fstat(in, &status) == 0 && length > (size_t)status.st_size) length = (size_t)status.st_size;
    COUNTED(1, REAL(copy_file_range)(in, from, out, to, HALF(length), flags),
            note_bytes(out, to ? *to : lseek(out, 0, SEEK_CUR), length),
            REAL(copy_file_range)(in, from, out, to, length, flags))
}

int rename(const char *from, const char *to) {
    if (!is_name_there(to)) return REAL(rename)(from, to);
    COUNTED(0, 0, note_renamed(from, to), REAL(rename)(from, to))
}

int mkdir(const char *path, mode_t mode) {
    if (!is_name_there(path) || access(path, F_OK) == 0) return REAL(mkdir)(path, mode);
    COUNTED(0, 0, note_created(path), REAL(mkdir)(path, mode))
}

int rmdir(const char *path) {
    if (!is_name_there(path)) return REAL(rmdir)(path);
    COUNTED(0, 0, note_removed(path), REAL(rmdir)(path))
}

int linkat(int from_folder, const char *from, int to_folder, const char *to, int flags) {
    if (!is_name_there(to)) return REAL(linkat)(from_folder, from, to_folder, to, flags);
    COUNTED(0, 0, note_created(to), REAL(linkat)(from_folder, from, to_folder, to, flags))
}

int unlinkat(int folder_fd, const char *name, int flags) {
    char path[PATH_MAX + NAME_MAX + 2], link[64];
    if (counter && name[0] != '/' && folder_fd >= 0) {
        snprintf(link, sizeof link, "/proc/self/fd/%d", folder_fd);
        ssize_t length = readlink(link, path, PATH_MAX - 1);
        if (length > 0) snprintf(path + length, NAME_MAX + 2, "/%s", name);
        else path[0] = 0;
    } else {
        snprintf(path, sizeof path, "%s", name);
    }
    if (!is_name_there(path)) return REAL(unlinkat)(folder_fd, name, flags);
    COUNTED(0, 0, note_removed(path), REAL(unlinkat)(folder_fd, name, flags))
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
        COUNTED(0, 0, note_created(path), REAL(name)(path, flags, mode)) \
    }

OPEN(open)
OPEN(open64)

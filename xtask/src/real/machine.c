/* A machine that can be unplugged, for the store's files alone (`*.db`, `*.db-wal`) of a process it is loaded into.
 *
 * Beside each such file it keeps, in `FILE.unsynced`, every write since the file was last synced, with what stood there
 * before: whoever pulls the plug takes them back. While the file named by MACHINE_FULL exists, nothing more can be written;
 * the number of seconds in the file named by MACHINE_CLOCK is added to the wall clock.
 *
 * A record of FILE.unsynced: five 64-bit numbers (kind: 1 a write, 2 another length; offset; bytes of the write, or the new
 * length; length of the file before; bytes kept of what stood there), then what stood there, then what was written. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER;

#define REAL(result, name, ...) \
    static result (*real_##name)(__VA_ARGS__); \
    if (!real_##name) *(void **)&real_##name = dlsym(RTLD_NEXT, #name)

static int ends(const char *text, const char *end) {
    size_t a = strlen(text), b = strlen(end);
    return a >= b && strcmp(text + a - b, end) == 0;
}

/* The name of the notes beside the file behind `fd`; 0 where it is none of the store. */
static int noted(int fd, char *name, size_t size) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, name, size - 16);
    if (n <= 0) return 0;
    name[n] = 0;
    if (!ends(name, ".db") && !ends(name, ".db-wal")) return 0;
    strcat(name, ".unsynced");
    return 1;
}

static int is_full(void) {
    const char *flag = getenv("MACHINE_FULL");
    struct stat there;
    return flag && stat(flag, &there) == 0;
}

static int put(int out, const void *bytes, size_t n) {
    const char *at = bytes;
    while (n > 0) {
        REAL(ssize_t, write, int, const void *, size_t);
        ssize_t done = real_write(out, at, n);
        if (done <= 0) return -1;
        at += done;
        n -= (size_t)done;
    }
    return 0;
}

/* Notes what is about to happen to `fd`. 0, or -1 where that cannot be kept. */
static int note(int fd, const char *name, uint64_t kind, const void *bytes, uint64_t n, off_t at) {
    struct stat before;
    if (fstat(fd, &before) != 0) return -1;
    uint64_t length = (uint64_t)before.st_size, from = kind == 2 ? n : (uint64_t)at, kept = 0;
    uint64_t until = kind == 2 ? length : from + n;
    if (from < length) kept = (until < length ? until : length) - from;
    char *old = malloc(kept ? kept : 1);
    if (!old) return -1;
    REAL(ssize_t, pread, int, void *, size_t, off_t);
    if (kept && real_pread(fd, old, kept, (off_t)from) != (ssize_t)kept) kept = 0;
    int out = open(name, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    uint64_t head[5] = {kind, from, n, length, kept};
    size_t whole = sizeof head + kept + (kind == 1 ? n : 0);
    char *all = malloc(whole);
    int bad = out < 0 || !all;
    if (!bad) {
        /* In one piece: whoever is killed leaves none torn, or the last one. */
        memcpy(all, head, sizeof head);
        memcpy(all + sizeof head, old, kept);
        if (kind == 1) memcpy(all + sizeof head + kept, bytes, n);
        bad = put(out, all, whole);
    }
    if (out >= 0) close(out);
    free(all);
    free(old);
    return bad ? -1 : 0;
}

static ssize_t written(int fd, const void *bytes, size_t n, off_t at) {
    REAL(ssize_t, pwrite, int, const void *, size_t, off_t);
    char name[4200];
    if (!noted(fd, name, sizeof name)) return real_pwrite(fd, bytes, n, at);
    if (is_full()) {
        errno = ENOSPC;
        return -1;
    }
    pthread_mutex_lock(&one);
    ssize_t done = -1;
    if (note(fd, name, 1, bytes, n, at) == 0) done = real_pwrite(fd, bytes, n, at);
    pthread_mutex_unlock(&one);
    return done;
}

ssize_t pwrite(int fd, const void *bytes, size_t n, off_t at) { return written(fd, bytes, n, at); }
ssize_t pwrite64(int fd, const void *bytes, size_t n, off_t at) { return written(fd, bytes, n, at); }

static int cut(int fd, off_t length) {
    REAL(int, ftruncate, int, off_t);
    char name[4200];
    if (!noted(fd, name, sizeof name)) return real_ftruncate(fd, length);
    pthread_mutex_lock(&one);
    int done = -1;
    if (note(fd, name, 2, NULL, (uint64_t)length, 0) == 0) done = real_ftruncate(fd, length);
    pthread_mutex_unlock(&one);
    return done;
}

int ftruncate(int fd, off_t length) { return cut(fd, length); }
int ftruncate64(int fd, off_t length) { return cut(fd, length); }

/* What is synced is safe; nobody writes meanwhile. */
static int synced(int fd, int (*sync)(int)) {
    char name[4200];
    if (!noted(fd, name, sizeof name)) return sync(fd);
    pthread_mutex_lock(&one);
    int done = sync(fd);
    if (done == 0 && truncate(name, 0) != 0) errno = 0;
    pthread_mutex_unlock(&one);
    return done;
}

int fsync(int fd) {
    REAL(int, fsync, int);
    return synced(fd, real_fsync);
}

int fdatasync(int fd) {
    REAL(int, fdatasync, int);
    return synced(fd, real_fdatasync);
}

/* The notes go where their file goes; those of what it takes the place of are void. */
int rename(const char *from, const char *to) {
    REAL(int, rename, const char *, const char *);
    int done = real_rename(from, to);
    if (done == 0 && (ends(to, ".db") || ends(to, ".db-wal"))) {
        char old[4200], new[4200];
        snprintf(old, sizeof old, "%s.unsynced", from);
        snprintf(new, sizeof new, "%s.unsynced", to);
        REAL(int, unlink, const char *);
        real_unlink(new);
        real_rename(old, new);
        errno = 0;
    }
    return done;
}

/* Nothing is left to take back of a file that is gone. */
int unlink(const char *path) {
    REAL(int, unlink, const char *);
    int done = real_unlink(path);
    if (done == 0 && (ends(path, ".db") || ends(path, ".db-wal"))) {
        char name[4200];
        snprintf(name, sizeof name, "%s.unsynced", path);
        real_unlink(name);
    }
    return done;
}

int clock_gettime(clockid_t which, struct timespec *at) {
    REAL(int, clock_gettime, clockid_t, struct timespec *);
    int done = real_clock_gettime(which, at);
    const char *named = getenv("MACHINE_CLOCK");
    if (done != 0 || which != CLOCK_REALTIME || !named) return done;
    int in = open(named, O_RDONLY | O_CLOEXEC);
    if (in < 0) return done;
    char text[32] = {0};
    REAL(ssize_t, pread, int, void *, size_t, off_t);
    if (real_pread(in, text, sizeof text - 1, 0) > 0) at->tv_sec += atol(text);
    close(in);
    return done;
}

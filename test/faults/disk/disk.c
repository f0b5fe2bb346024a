/*
 * Preloaded into a process, makes its disk fail: writes, syncs, truncations, renames and removals
 * of files below one directory answer an error, some of them after half of the work. Which of
 * them stands in a control file that is mapped into memory, so that tests change it while the
 * process runs; the file also counts. What stdio does by itself inside the C library cannot be
 * reached, but the calls that make it do so can.
 *
 * KEYSLOT_DISK_DIRECTORY names the directory, KEYSLOT_DISK_CONTROL the control file. Its fields are
 * written, and their meaning is said, in failing-disk.ts. Built for glibc.
 */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PATH_BYTES 512

enum action { NOTHING = 0, FAIL = 1, FAIL_HALFWAY = 2 };

struct control {
  _Atomic uint64_t calls;
  _Atomic uint64_t action;
  _Atomic uint64_t error;
  _Atomic uint64_t skip;
  _Atomic uint64_t times;
  _Atomic uint64_t seen;
  _Atomic uint64_t hits;
  /* Only paths that hold this. */
  char only[64];
  /* What has failed last. */
  char failed[128];
};

static struct control *control;
static const char *directory;

__attribute__((constructor)) static void start(void) {
  const char *path = getenv("KEYSLOT_DISK_CONTROL");
  directory = getenv("KEYSLOT_DISK_DIRECTORY");
  if (path == NULL || directory == NULL) return;
  int fd = open(path, O_RDWR | O_CLOEXEC);
  void *mapped = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (fd < 0 || mapped == MAP_FAILED) {
    fprintf(stderr, "failing disk: the control file cannot be mapped\n");
    abort();
  }
  close(fd);
  control = mapped;
}

/* What becomes of an operation on a path; sets errno when it fails. */
static enum action fate_of_path(const char *operation, const char *path) {
  if (control == NULL || strncmp(path, directory, strlen(directory)) != 0) return NOTHING;
  if (control->only[0] != '\0' && strstr(path, control->only) == NULL) return NOTHING;
  atomic_fetch_add(&control->calls, 1);
  enum action action = (enum action)atomic_load(&control->action);
  if (action == NOTHING) return NOTHING;
  uint64_t seen = atomic_fetch_add(&control->seen, 1);
  uint64_t skip = atomic_load(&control->skip);
  if (seen < skip || seen - skip >= atomic_load(&control->times)) return NOTHING;
  atomic_fetch_add(&control->hits, 1);
  snprintf(control->failed, sizeof control->failed, "%s %s", operation,
           path + strlen(directory));
  errno = (int)atomic_load(&control->error);
  return action;
}

static enum action fate(const char *operation, int fd) {
  char link[64], path[PATH_BYTES];
  int before = errno;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = control == NULL ? -1 : readlink(link, path, sizeof path - 1);
  errno = before;
  if (length < 0) return NOTHING;
  path[length] = '\0';
  return fate_of_path(operation, path);
}

/* The function that stands behind `name`. */
#define REAL(name)                                                                                \
  static __typeof__(&name) real;                                                                  \
  if (real == NULL) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name);

ssize_t write(int fd, const void *bytes, size_t length) {
  REAL(write)
  enum action action = fate("write", fd);
  if (action == NOTHING) return real(fd, bytes, length);
  int error = errno;
  if (action == FAIL_HALFWAY) (void)!real(fd, bytes, length / 2);
  errno = error;
  return -1;
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t at) {
  REAL(pwrite64)
  enum action action = fate("pwrite", fd);
  if (action == NOTHING) return real(fd, bytes, length, at);
  int error = errno;
  if (action == FAIL_HALFWAY) (void)!real(fd, bytes, length / 2, at);
  errno = error;
  return -1;
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at) {
  return pwrite64(fd, bytes, length, at);
}

int fsync(int fd) {
  REAL(fsync)
  return fate("fsync", fd) == NOTHING ? real(fd) : -1;
}

int fdatasync(int fd) {
  REAL(fdatasync)
  return fate("fdatasync", fd) == NOTHING ? real(fd) : -1;
}

int ftruncate64(int fd, off64_t length) {
  REAL(ftruncate64)
  return fate("ftruncate", fd) == NOTHING ? real(fd, length) : -1;
}

int ftruncate(int fd, off_t length) { return ftruncate64(fd, length); }

int rename(const char *from, const char *to) {
  REAL(rename)
  return fate_of_path("rename", to) == NOTHING ? real(from, to) : -1;
}

int unlink(const char *path) {
  REAL(unlink)
  return fate_of_path("unlink", path) == NOTHING ? real(path) : -1;
}

int remove(const char *path) {
  REAL(remove)
  return fate_of_path("remove", path) == NOTHING ? real(path) : -1;
}

size_t fwrite(const void *bytes, size_t size, size_t count, FILE *stream) {
  REAL(fwrite)
  enum action action = fate("fwrite", fileno(stream));
  if (action == NOTHING) return real(bytes, size, count, stream);
  int error = errno;
  size_t done = action == FAIL_HALFWAY ? real(bytes, size, count / 2, stream) : 0;
  errno = error;
  return done;
}

int fflush(FILE *stream) {
  REAL(fflush)
  if (stream == NULL || !__fwriting(stream)) return real(stream);
  if (fate("fflush", fileno(stream)) == NOTHING) return real(stream);
  /* What the disk did not take is gone, not written by a later call. */
  int error = errno;
  __fpurge(stream);
  errno = error;
  return EOF;
}

int fclose(FILE *stream) {
  REAL(fclose)
  if (!__fwriting(stream) || fate("fclose", fileno(stream)) == NOTHING) return real(stream);
  int error = errno;
  __fpurge(stream);
  real(stream);
  errno = error;
  return EOF;
}

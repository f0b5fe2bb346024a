/*
 * A PKCS#11 module that wraps another one and makes it fail: it answers any return value, delays,
 * hangs, kills its process, flips a bit of what the token answers, or hides what it finds. Which
 * call does what stands in a control file that is mapped into memory, so that tests change it
 * while the module runs; the file also counts the calls.
 *
 * KEYSLOT_FAULTS_MODULE names the real module, KEYSLOT_FAULTS_CONTROL the control file. The rows of
 * that file are written, and their meaning is said, in fault-module.ts.
 */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of PKCS#11 v2.40, no more than is used here. */
typedef unsigned long CK_RV;
typedef unsigned long CK_ULONG;
typedef unsigned char CK_BYTE;

#define CKR_OK 0x00UL
#define CKR_GENERAL_ERROR 0x05UL
#define FUNCTIONS 68

typedef struct {
  CK_BYTE major, minor;
  void *functions[FUNCTIONS];
} CK_FUNCTION_LIST;

enum action {
  NOTHING = 0,
  RETURN_INSTEAD = 1,
  RETURN_AFTERWARDS = 2,
  HANG = 3,
  KILL_BEFORE = 4,
  KILL_DURING = 5,
  KILL_AFTERWARDS = 6,
  FLIP_BIT = 7,
  HIDE = 8,
};

/* A row of the control file. */
struct row {
  char name[32];
  _Atomic uint64_t calls;
  _Atomic uint64_t delay_us;
  _Atomic uint64_t action;
  _Atomic uint64_t value;
  _Atomic uint64_t skip;
  _Atomic uint64_t times;
  _Atomic uint64_t seen;
  _Atomic uint64_t hits;
};

struct plan {
  enum action action;
  uint64_t value;
};

static CK_FUNCTION_LIST real;
static struct row *rows;
static size_t row_count;

static void die(void) { kill(getpid(), SIGKILL); }

static void fatal(const char *what) {
  fprintf(stderr, "fault module: %s\n", what);
  abort();
}

static void *kill_later(void *delay_us) {
  usleep((useconds_t)(uintptr_t)delay_us);
  die();
  return NULL;
}

static struct row *row_of(const char *name) {
  for (size_t at = 0; at < row_count; at++) {
    if (strncmp(rows[at].name, name, sizeof rows[at].name) == 0) return &rows[at];
  }
  fatal("the control file lacks a function");
  return NULL;
}

/* Counts the call and does what comes before it. */
static struct plan before(struct row *row) {
  struct plan plan = {NOTHING, 0};
  atomic_fetch_add(&row->calls, 1);
  uint64_t delay_us = atomic_load(&row->delay_us);
  if (delay_us > 0) usleep((useconds_t)delay_us);
  enum action action = (enum action)atomic_load(&row->action);
  if (action == NOTHING) return plan;
  uint64_t seen = atomic_fetch_add(&row->seen, 1);
  uint64_t skip = atomic_load(&row->skip);
  if (seen < skip || seen - skip >= atomic_load(&row->times)) return plan;
  atomic_fetch_add(&row->hits, 1);
  plan.action = action;
  plan.value = atomic_load(&row->value);
  if (action == KILL_BEFORE) die();
  while (action == HANG) pause();
  if (action == KILL_DURING) {
    pthread_t killer;
    if (pthread_create(&killer, NULL, kill_later, (void *)(uintptr_t)plan.value) != 0) die();
  }
  return plan;
}

/* Does what comes after the call; `output` and `length` are null where the call has no bytes. */
static CK_RV after(struct plan plan, CK_RV answer, CK_BYTE *output, CK_ULONG *length) {
  switch (plan.action) {
  case KILL_AFTERWARDS:
    die();
    return answer;
  case KILL_DURING:
    /* The call was faster than the killer. */
    pause();
    return answer;
  case RETURN_AFTERWARDS:
    return (CK_RV)plan.value;
  case FLIP_BIT:
    if (answer == CKR_OK && output != NULL && length != NULL && *length > 0) {
      uint64_t bit = plan.value % (8 * (uint64_t)*length);
      output[bit / 8] ^= (CK_BYTE)(1U << (bit % 8));
    }
    return answer;
  case HIDE:
    if (answer == CKR_OK && length != NULL) *length = 0;
    return answer;
  default:
    return answer;
  }
}

/* Defines the function that stands in for `name`, at its place in CK_FUNCTION_LIST. */
#define WRAP(place, name, parameters, arguments, output, length)                                  \
  enum { PLACE_##name = place };                                                                  \
  static struct row *row_##name;                                                                  \
  static CK_RV name parameters {                                                                  \
    struct plan plan = before(row_##name);                                                        \
    if (plan.action == RETURN_INSTEAD) return (CK_RV)plan.value;                                  \
    CK_RV answer = ((CK_RV(*) parameters)real.functions[PLACE_##name]) arguments;                 \
    return after(plan, answer, output, length);                                                   \
  }

WRAP(0, C_Initialize, (void *a), (a), NULL, NULL)
WRAP(1, C_Finalize, (void *a), (a), NULL, NULL)
WRAP(2, C_GetInfo, (void *a), (a), NULL, NULL)
WRAP(4, C_GetSlotList, (CK_BYTE a, void *b, CK_ULONG *c), (a, b, c), NULL, c)
WRAP(5, C_GetSlotInfo, (CK_ULONG a, void *b), (a, b), NULL, NULL)
WRAP(6, C_GetTokenInfo, (CK_ULONG a, void *b), (a, b), NULL, NULL)
WRAP(7, C_GetMechanismList, (CK_ULONG a, void *b, CK_ULONG *c), (a, b, c), NULL, c)
WRAP(12, C_OpenSession, (CK_ULONG a, CK_ULONG b, void *c, void *d, CK_ULONG *e), (a, b, c, d, e),
     NULL, NULL)
WRAP(13, C_CloseSession, (CK_ULONG a), (a), NULL, NULL)
WRAP(14, C_CloseAllSessions, (CK_ULONG a), (a), NULL, NULL)
WRAP(18, C_Login, (CK_ULONG a, CK_ULONG b, void *c, CK_ULONG d), (a, b, c, d), NULL, NULL)
WRAP(20, C_CreateObject, (CK_ULONG a, void *b, CK_ULONG c, CK_ULONG *d), (a, b, c, d), NULL, NULL)
WRAP(22, C_DestroyObject, (CK_ULONG a, CK_ULONG b), (a, b), NULL, NULL)
WRAP(24, C_GetAttributeValue, (CK_ULONG a, CK_ULONG b, void *c, CK_ULONG d), (a, b, c, d), NULL,
     NULL)
WRAP(26, C_FindObjectsInit, (CK_ULONG a, void *b, CK_ULONG c), (a, b, c), NULL, NULL)
WRAP(27, C_FindObjects, (CK_ULONG a, CK_ULONG *b, CK_ULONG c, CK_ULONG *d), (a, b, c, d), NULL, d)
WRAP(28, C_FindObjectsFinal, (CK_ULONG a), (a), NULL, NULL)
WRAP(29, C_EncryptInit, (CK_ULONG a, void *b, CK_ULONG c), (a, b, c), NULL, NULL)
WRAP(30, C_Encrypt, (CK_ULONG a, CK_BYTE *b, CK_ULONG c, CK_BYTE *d, CK_ULONG *e), (a, b, c, d, e),
     d, e)
WRAP(33, C_DecryptInit, (CK_ULONG a, void *b, CK_ULONG c), (a, b, c), NULL, NULL)
WRAP(34, C_Decrypt, (CK_ULONG a, CK_BYTE *b, CK_ULONG c, CK_BYTE *d, CK_ULONG *e), (a, b, c, d, e),
     d, e)
WRAP(42, C_SignInit, (CK_ULONG a, void *b, CK_ULONG c), (a, b, c), NULL, NULL)
WRAP(43, C_Sign, (CK_ULONG a, CK_BYTE *b, CK_ULONG c, CK_BYTE *d, CK_ULONG *e), (a, b, c, d, e), d,
     e)
WRAP(58, C_GenerateKey, (CK_ULONG a, void *b, void *c, CK_ULONG d, CK_ULONG *e), (a, b, c, d, e),
     NULL, NULL)
WRAP(59, C_GenerateKeyPair,
     (CK_ULONG a, void *b, void *c, CK_ULONG d, void *e, CK_ULONG f, CK_ULONG *g, CK_ULONG *h),
     (a, b, c, d, e, f, g, h), NULL, NULL)
WRAP(61, C_UnwrapKey,
     (CK_ULONG a, void *b, CK_ULONG c, CK_BYTE *d, CK_ULONG e, void *f, CK_ULONG g, CK_ULONG *h),
     (a, b, c, d, e, f, g, h), NULL, NULL)
WRAP(62, C_DeriveKey, (CK_ULONG a, void *b, CK_ULONG c, void *d, CK_ULONG e, CK_ULONG *f),
     (a, b, c, d, e, f), NULL, NULL)
WRAP(64, C_GenerateRandom, (CK_ULONG a, CK_BYTE *b, CK_ULONG c), (a, b, c), b, &c)

static CK_FUNCTION_LIST wrapped;

CK_RV C_GetFunctionList(CK_FUNCTION_LIST **list) {
  if (list == NULL) return CKR_GENERAL_ERROR;
  *list = &wrapped;
  return CKR_OK;
}

static void map_control(const char *path) {
  struct stat status;
  int fd = open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0 || fstat(fd, &status) != 0) fatal("the control file cannot be opened");
  rows = mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (rows == MAP_FAILED) fatal("the control file cannot be mapped");
  row_count = (size_t)status.st_size / sizeof(struct row);
  close(fd);
}

static void load_real(const char *path) {
  CK_FUNCTION_LIST *list = NULL;
  void *module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (module == NULL) fatal(dlerror());
  CK_RV (*get_list)(CK_FUNCTION_LIST **) =
      (CK_RV(*)(CK_FUNCTION_LIST **))dlsym(module, "C_GetFunctionList");
  if (get_list == NULL || get_list(&list) != CKR_OK) fatal("the real module has no functions");
  real = *list;
  wrapped = real;
}

#define STAND_IN(name)                                                                            \
  row_##name = row_of(#name);                                                                     \
  wrapped.functions[PLACE_##name] = (void *)name;

__attribute__((constructor)) static void start(void) {
  const char *module = getenv("KEYSLOT_FAULTS_MODULE");
  const char *control = getenv("KEYSLOT_FAULTS_CONTROL");
  if (module == NULL || control == NULL) fatal("its environment is not set");
  map_control(control);
  load_real(module);
  wrapped.functions[3] = (void *)C_GetFunctionList;
  STAND_IN(C_Initialize)
  STAND_IN(C_Finalize)
  STAND_IN(C_GetInfo)
  STAND_IN(C_GetSlotList)
  STAND_IN(C_GetSlotInfo)
  STAND_IN(C_GetTokenInfo)
  STAND_IN(C_GetMechanismList)
  STAND_IN(C_OpenSession)
  STAND_IN(C_CloseSession)
  STAND_IN(C_CloseAllSessions)
  STAND_IN(C_Login)
  STAND_IN(C_CreateObject)
  STAND_IN(C_DestroyObject)
  STAND_IN(C_GetAttributeValue)
  STAND_IN(C_FindObjectsInit)
  STAND_IN(C_FindObjects)
  STAND_IN(C_FindObjectsFinal)
  STAND_IN(C_EncryptInit)
  STAND_IN(C_Encrypt)
  STAND_IN(C_DecryptInit)
  STAND_IN(C_Decrypt)
  STAND_IN(C_SignInit)
  STAND_IN(C_Sign)
  STAND_IN(C_GenerateKey)
  STAND_IN(C_GenerateKeyPair)
  STAND_IN(C_UnwrapKey)
  STAND_IN(C_DeriveKey)
  STAND_IN(C_GenerateRandom)
}

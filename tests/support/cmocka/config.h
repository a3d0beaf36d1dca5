/* What cmocka 1.1.5 asks of its platform, for Emscripten's libc compiled as strict C11. */
#define _GNU_SOURCE 1 /* strdup; signal.h beyond ISO C */
#define HAVE_INTTYPES_H 1
#define HAVE_MALLOC_H 1
#define HAVE_SIGNAL_H 1
#define HAVE_STDINT_H 1
#define HAVE_STRINGS_H 1
#define HAVE_STRUCT_TIMESPEC 1
#define HAVE_CLOCK_GETTIME 1
#define HAVE_CLOCK_REALTIME 1
#define HAVE_SNPRINTF 1
#define HAVE_VSNPRINTF 1

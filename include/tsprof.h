#ifndef TSPROF_H
#define TSPROF_H

/*
 * tsprof: milestones, scopes, counters and snapshots of a program that is being
 * recorded.  C11 and C++11, gcc and clang, Linux.
 *
 *	void parse(struct input *input)
 *	{
 *		TSPROF_SCOPE("parse");		ends with its block
 *		…
 *		TSPROF_COUNTER("queue", depth);
 *	}
 *	…
 *	TSPROF_MILESTONE("loaded");
 *
 * While nothing records, each costs one load and a branch that is not taken.  No
 * library has to be linked: `tsprof record` names it, and it is loaded then.  A
 * static program cannot do that, and is compiled with -DTSPROF_STATIC and linked
 * with libtsprof.a.  With -DTSPROF_DISABLE nothing is left of any of them.
 *
 * Names are string literals or live as long as the program; of a longer one
 * TSPROF_NAME_MAX_BYTES are kept.  Any thread may use all of this at any time.
 * Nothing blocks: what finds no room is dropped and counted.  errno is kept.
 * In a signal handler, too: only when it interrupts a mark of the same thread its
 * own are dropped and counted.  What is written as printf writes it is for
 * handlers where the C library's vsnprintf is.
 */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
	TSPROF_ABI_VERSION = 1,
	TSPROF_NAME_MAX_BYTES = 255,
	TSPROF_TEXT_MAX_BYTES = 1023,	   /* of data, arguments and error messages */
	TSPROF_SNAPSHOT_MAX_BYTES = 65536, /* more is cut, and the cut is shown */
};

enum tsprof_kind {
	TSPROF_KIND_MILESTONE = 1,
	TSPROF_KIND_SCOPE = 2,
	TSPROF_KIND_COUNTER = 3,
	TSPROF_KIND_SNAPSHOT = 4,
};

enum tsprof_what {
	TSPROF_WHAT_MILESTONE = 1,
	TSPROF_WHAT_BEGIN = 2,
	TSPROF_WHAT_END = 3,
	/* The next ones belong to the thread's last milestone, or its innermost open scope. */
	TSPROF_WHAT_DATA = 4,	   /* text */
	TSPROF_WHAT_ARGUMENTS = 5, /* text */
	TSPROF_WHAT_ERROR = 6,	   /* text */
	TSPROF_WHAT_COUNTER = 7,   /* a double */
	TSPROF_WHAT_SNAPSHOT = 8,  /* bytes */
	TSPROF_WHAT_TEXT_SNAPSHOT = 9,
	TSPROF_WHAT_COSTS = 10, /* of the site's innermost open scope, before its end */
};

/* A place in the program that marks.  Static; the macros make them. */
struct tsprof_site {
	const char *name;
	const char *category; /* NULL: none */
	const char *file;
	uint32_t line;
	uint32_t kind;	      /* enum tsprof_kind */
	uint32_t sample_rate; /* scopes: one call in so many is recorded; 0 and 1: all */
	uint32_t id;	      /* the library's; 0 until first used while recording */
	uint32_t n_skipped;   /* calls since one was recorded */
};

#if !defined(__GNUC__)
#error "tsprof.h needs gcc or clang"
#endif

/* Below are the parts that the macros are made of; they are not to be used by themselves. */

struct tsprof_record_ {
	uint64_t time; /* of the time-stamp counter, or ns of CLOCK_MONOTONIC */
	uint32_t site;
	uint32_t what; /* enum tsprof_what */
};

/* A thread's place in its ring; from `end` on the library has to be asked. */
struct tsprof_thread_ {
	unsigned char *at;
	unsigned char *end;
	uint64_t head_less_at; /* what makes a head of `at` */
	uint64_t *head;
	uint32_t is_busy; /* what a signal handler interrupts is in the middle of a mark */
	uint32_t padding;
};

/* What a thread has cost until now. */
struct tsprof_costs_ {
	uint64_t cpu_ns;
	uint64_t allocated_bytes; /* UINT64_MAX: nobody counts them */
	uint64_t n_faults;
	uint64_t owner; /* of these figures */
};

struct tsprof_link_;

/* Only ever grows at its end: what is newer than version 1 is there if size_bytes says so. */
struct tsprof_api_ {
	uint32_t abi_version;
	uint32_t size_bytes;
	/* Whatever the fast way could not do; gives the thread, for the next time. */
	struct tsprof_thread_ *(*put)(struct tsprof_site *site, uint32_t what);
	void (*put_bytes)(struct tsprof_site *site, uint32_t what, const void *bytes, size_t size);
	void (*put_text)(struct tsprof_site *site, uint32_t what, const char *format,
			 va_list values);
	void (*unlink)(struct tsprof_link_ *link);
	/* For TSPROF_SCOPE_FULL: at the begin, and what it was since then, at the end. */
	void (*costs_now)(struct tsprof_costs_ *ret_costs);
	void (*put_costs)(struct tsprof_site *site, const struct tsprof_costs_ *at_begin);
};

/* One in each program and shared object that marks. */
struct tsprof_link_ {
	uint32_t is_on;
	uint32_t abi_version;
	const struct tsprof_api_ *api;
	struct tsprof_link_ *next;
};

#define TSPROF_JOIN_2_(a, b) a##b
#define TSPROF_JOIN_(a, b) TSPROF_JOIN_2_(a, b)

#ifdef TSPROF_DISABLE

/* Behind a condition that is false, so that calls are checked, and gone even with -O0. */
#define TSPROF_IS_LEFT_ 0
#define TSPROF_IS_ON_() 0

extern void tsprof_put_(struct tsprof_site *site, uint32_t what);
extern void tsprof_bytes_(struct tsprof_site *site, uint32_t what, const void *bytes, size_t size);
extern void tsprof_text_(struct tsprof_site *site, uint32_t what, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
extern void tsprof_text_list_(struct tsprof_site *site, uint32_t what, const char *format,
			      va_list values);
extern int tsprof_is_sampled_(struct tsprof_site *site);

#define TSPROF_SITE_(variable, name, category, kind, rate)                                         \
	enum { TSPROF_JOIN_(variable, off_) = 0 * sizeof(name) * sizeof(category) * (rate) };      \
	extern struct tsprof_site variable __attribute__((unused))
#define TSPROF_SCOPE_N_(n, name, category, rate, begin)                                            \
	TSPROF_SITE_(TSPROF_JOIN_(tsprof_site_, n), name, category, SCOPE, rate)
#define TSPROF_SCOPE_FULL_N_(n, name) TSPROF_SCOPE_N_(n, name, NULL, 1, )
#define TSPROF_SCOPE_ARGUMENTS_N_(n, name, ...)                                                    \
	TSPROF_SCOPE_N_(n, name, NULL, 1, );                                                       \
	do {                                                                                       \
		if (0)                                                                             \
			tsprof_text_(NULL, TSPROF_WHAT_ARGUMENTS, __VA_ARGS__);                    \
	} while (0)

#else

/* Weak and hidden: one of each in a program or shared object, whatever includes this. */
__attribute__((weak, visibility("hidden"))) struct tsprof_link_ tsprof_link_ = { 0,
										 TSPROF_ABI_VERSION,
										 NULL, NULL };
__attribute__((weak, visibility("hidden"),
	       tls_model("initial-exec"))) __thread struct tsprof_thread_ *tsprof_thread_ = NULL;

#ifdef TSPROF_STATIC

extern int tsprof_link_1(struct tsprof_link_ *link);

static inline int tsprof_link_any_(void)
{
	return tsprof_link_1(&tsprof_link_);
}

#else

typedef void (*tsprof_function_)(void);

extern int tsprof_link_1(struct tsprof_link_ *link) __attribute__((weak));

/* Under names of ours, as the program's headers may declare them or not. */
extern unsigned long tsprof_getauxval_(unsigned long type) __asm__("getauxval")
	__attribute__((weak));
extern char *tsprof_secure_getenv_(const char *name) __asm__("secure_getenv") __attribute__((weak));
extern void *tsprof_dlopen_(const char *path, int flags) __asm__("dlopen") __attribute__((weak));
extern tsprof_function_ tsprof_dlsym_(void *library, const char *name) __asm__("dlsym")
	__attribute__((weak));

/*
 * The library that `tsprof record` names after three colons of its variable.  A
 * program without a dynamic linker (AT_BASE) cannot load it: see TSPROF_STATIC.
 */
static inline int tsprof_link_by_path_(void)
{
	const char *at = NULL;
	int (*enter)(struct tsprof_link_ *);
	void *library;
	int n_colons = 0;

	if (tsprof_secure_getenv_ && tsprof_dlopen_ && tsprof_dlsym_ && tsprof_getauxval_ &&
	    tsprof_getauxval_(7) != 0)
		at = tsprof_secure_getenv_("TSPROF_MARKS");
	for (; at && *at && n_colons < 3; at++)
		n_colons += *at == ':';
	if (!at || *at != '/')
		return -1;
	library = tsprof_dlopen_(at, 2 | 0x1000 /* RTLD_NOW | RTLD_NODELETE */);
	if (!library)
		return -1;
	enter = (int (*)(struct tsprof_link_ *))tsprof_dlsym_(library, "tsprof_link_1");
	return enter ? enter(&tsprof_link_) : -1;
}

static inline int tsprof_link_any_(void)
{
	return tsprof_link_1 ? tsprof_link_1(&tsprof_link_) : tsprof_link_by_path_();
}

#endif

__attribute__((constructor)) static void tsprof_link_now_(void)
{
	if (!tsprof_link_.api)
		(void)tsprof_link_any_();
}

__attribute__((destructor)) static void tsprof_unlink_now_(void)
{
	if (tsprof_link_.api)
		tsprof_link_.api->unlink(&tsprof_link_);
}

#define TSPROF_IS_LEFT_ 1
#define TSPROF_IS_ON_()                                                                            \
	__builtin_expect((long)__atomic_load_n(&tsprof_link_.is_on, __ATOMIC_RELAXED), 0)

static inline uint64_t tsprof_time_(void)
{
#if defined(__x86_64__)
	return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
	uint64_t time;

	__asm__ volatile("mrs %0, cntvct_el0" : "=r"(time));
	return time;
#else
	return 0; /* the library leaves no room, so that its clock is asked */
#endif
}

static inline void tsprof_put_(struct tsprof_site *site, uint32_t what)
{
	struct tsprof_thread_ *thread = tsprof_thread_;
	struct tsprof_record_ *record;

	if (__builtin_expect(!thread || thread->is_busy, 0)) {
		tsprof_thread_ = tsprof_link_.api->put(site, what);
		return;
	}
	/* From here on a handler's marks are the library's business. */
	__atomic_store_n(&thread->is_busy, 1, __ATOMIC_RELAXED);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	if (__builtin_expect(!site->id || thread->at >= thread->end, 0)) {
		__atomic_store_n(&thread->is_busy, 0, __ATOMIC_RELAXED);
		tsprof_thread_ = tsprof_link_.api->put(site, what);
		return;
	}
	record = (struct tsprof_record_ *)(void *)thread->at;
	record->time = tsprof_time_();
	record->site = site->id;
	record->what = what;
	thread->at += sizeof(*record);
	/* Pairs with the recorder's acquire: it sees whole records. */
	__atomic_store_n(thread->head, (uint64_t)(uintptr_t)thread->at + thread->head_less_at,
			 __ATOMIC_RELEASE);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	__atomic_store_n(&thread->is_busy, 0, __ATOMIC_RELAXED);
}

static inline void tsprof_bytes_(struct tsprof_site *site, uint32_t what, const void *bytes,
				 size_t size)
{
	tsprof_link_.api->put_bytes(site, what, bytes, size);
}

__attribute__((format(printf, 3, 4), unused)) static void
tsprof_text_(struct tsprof_site *site, uint32_t what, const char *format, ...)
{
	va_list values;

	va_start(values, format);
	tsprof_link_.api->put_text(site, what, format, values);
	va_end(values);
}

static inline void tsprof_text_list_(struct tsprof_site *site, uint32_t what, const char *format,
				     va_list values)
{
	tsprof_link_.api->put_text(site, what, format, values);
}

/* The open scope of a block; NULL: it is not recorded. */
struct tsprof_scope_ {
	struct tsprof_site *site;
};

static inline struct tsprof_scope_ tsprof_scope_begin_(struct tsprof_site *site)
{
	struct tsprof_scope_ scope = { NULL };

	if (TSPROF_IS_ON_()) {
		tsprof_put_(site, TSPROF_WHAT_BEGIN);
		scope.site = site;
	}
	return scope;
}

/*
 * Is it this call's turn?  Two threads at once may count one call only, which costs
 * less than a lock.
 */
static inline int tsprof_is_sampled_(struct tsprof_site *site)
{
	const uint32_t n_skipped = __atomic_load_n(&site->n_skipped, __ATOMIC_RELAXED);

	__atomic_store_n(&site->n_skipped, n_skipped + 1 >= site->sample_rate ? 0 : n_skipped + 1,
			 __ATOMIC_RELAXED);
	return n_skipped == 0;
}

static inline struct tsprof_scope_ tsprof_scope_sample_(struct tsprof_site *site)
{
	struct tsprof_scope_ scope = { NULL };

	if (TSPROF_IS_ON_() && tsprof_is_sampled_(site))
		scope = tsprof_scope_begin_(site);
	return scope;
}

static inline void tsprof_scope_end_(struct tsprof_scope_ *scope)
{
	if (__builtin_expect(scope->site != NULL, 0))
		tsprof_put_(scope->site, TSPROF_WHAT_END);
}

/* … that says what it cost, if the library can tell. */
struct tsprof_full_scope_ {
	struct tsprof_site *site;
	struct tsprof_costs_ at_begin;
};

static inline int tsprof_has_costs_(void)
{
	return tsprof_link_.api->size_bytes >= sizeof(struct tsprof_api_);
}

static inline struct tsprof_full_scope_ tsprof_full_begin_(struct tsprof_site *site)
{
	struct tsprof_full_scope_ scope = { NULL, { 0, 0, 0, 0 } };

	if (TSPROF_IS_ON_()) {
		if (tsprof_has_costs_())
			tsprof_link_.api->costs_now(&scope.at_begin);
		tsprof_put_(site, TSPROF_WHAT_BEGIN);
		scope.site = site;
	}
	return scope;
}

static inline void tsprof_full_end_(struct tsprof_full_scope_ *scope)
{
	if (__builtin_expect(scope->site != NULL, 0)) {
		if (tsprof_has_costs_())
			tsprof_link_.api->put_costs(scope->site, &scope->at_begin);
		tsprof_put_(scope->site, TSPROF_WHAT_END);
	}
}

#define TSPROF_SITE_(variable, name, category, kind, rate)                                         \
	static struct tsprof_site variable = {                                                     \
		(name), (category), __FILE__, __LINE__, TSPROF_KIND_##kind, (rate), 0, 0           \
	}
#define TSPROF_SCOPE_N_(n, name, category, rate, begin)                                            \
	TSPROF_SITE_(TSPROF_JOIN_(tsprof_site_, n), name, category, SCOPE, rate);                  \
	__attribute__((cleanup(tsprof_scope_end_), unused)) struct tsprof_scope_ TSPROF_JOIN_(     \
		tsprof_scope_, n) = begin(&TSPROF_JOIN_(tsprof_site_, n))
#define TSPROF_SCOPE_FULL_N_(n, name)                                                              \
	TSPROF_SITE_(TSPROF_JOIN_(tsprof_site_, n), name, NULL, SCOPE, 1);                         \
	__attribute__((cleanup(tsprof_full_end_), unused)) struct tsprof_full_scope_ TSPROF_JOIN_( \
		tsprof_scope_, n) = tsprof_full_begin_(&TSPROF_JOIN_(tsprof_site_, n))
#define TSPROF_SCOPE_ARGUMENTS_N_(n, name, ...)                                                    \
	TSPROF_SCOPE_N_(n, name, NULL, 1, tsprof_scope_begin_);                                    \
	do {                                                                                       \
		if (TSPROF_JOIN_(tsprof_scope_, n).site)                                           \
			tsprof_text_(TSPROF_JOIN_(tsprof_scope_, n).site, TSPROF_WHAT_ARGUMENTS,   \
				     __VA_ARGS__);                                                 \
	} while (0)

#endif /* TSPROF_DISABLE */

/* An instant of the program. */
#define TSPROF_MILESTONE(name)                                                                     \
	do {                                                                                       \
		TSPROF_SITE_(tsprof_site_, name, NULL, MILESTONE, 1);                              \
		if (TSPROF_IS_ON_())                                                               \
			tsprof_put_(&tsprof_site_, TSPROF_WHAT_MILESTONE);                         \
	} while (0)

/* … with data, as printf writes it: TSPROF_MILESTONE_DATA("loaded", "rows=%d", n). */
#define TSPROF_MILESTONE_DATA(name, ...)                                                           \
	do {                                                                                       \
		TSPROF_SITE_(tsprof_site_, name, NULL, MILESTONE, 1);                              \
		if (TSPROF_IS_ON_()) {                                                             \
			tsprof_put_(&tsprof_site_, TSPROF_WHAT_MILESTONE);                         \
			tsprof_text_(&tsprof_site_, TSPROF_WHAT_DATA, __VA_ARGS__);                \
		}                                                                                  \
	} while (0)

/* From here to the end of the block, however it is left. */
#define TSPROF_SCOPE(name) TSPROF_SCOPE_CATEGORY(name, NULL)

/* … in a group of scopes that can be looked at together. */
#define TSPROF_SCOPE_CATEGORY(name, category)                                                      \
	TSPROF_SCOPE_N_(__COUNTER__, name, category, 1, tsprof_scope_begin_)

/* … with its arguments, or whatever tells one call from another. */
#define TSPROF_SCOPE_ARGUMENTS(name, ...) TSPROF_SCOPE_ARGUMENTS_N_(__COUNTER__, name, __VA_ARGS__)

/*
 * … of which one call in `rate` is recorded, begun with the first of all threads
 * together; counts are scaled back and shown as estimates.
 */
#define TSPROF_SCOPE_SAMPLED(name, rate)                                                           \
	TSPROF_SCOPE_N_(__COUNTER__, name, NULL, rate, tsprof_scope_sample_)

/*
 * … with the CPU time, page faults and allocated bytes of its thread (those where
 * `record --count-allocations` counts them).  A begin and an end are one or two
 * microseconds, half of it within the scope: not for what is called very often.
 */
#define TSPROF_SCOPE_FULL(name) TSPROF_SCOPE_FULL_N_(__COUNTER__, name)

/* … named for the function it is in. */
#define TSPROF_FUNCTION TSPROF_SCOPE(__func__)

/*
 * A scope where a block does not fit: `site` comes from TSPROF_SITE at file or block
 * level.  Both on the same thread; an end closes what its begin's calls left open.
 */
#define TSPROF_SITE(variable, name) TSPROF_SITE_(variable, name, NULL, SCOPE, 1)
#define tsprof_begin(site)                                                                         \
	do {                                                                                       \
		if (TSPROF_IS_ON_())                                                               \
			tsprof_put_(site, TSPROF_WHAT_BEGIN);                                      \
	} while (0)
#define tsprof_end(site)                                                                           \
	do {                                                                                       \
		if (TSPROF_IS_ON_())                                                               \
			tsprof_put_(site, TSPROF_WHAT_END);                                        \
	} while (0)

/* The innermost open scope of this thread failed; why, as printf writes it. */
#define tsprof_scope_error(...)                                                                    \
	do {                                                                                       \
		if (TSPROF_IS_ON_())                                                               \
			tsprof_text_(NULL, TSPROF_WHAT_ERROR, __VA_ARGS__);                        \
	} while (0)

/* A number as it is now. */
#define TSPROF_COUNTER(name, value)                                                                \
	do {                                                                                       \
		TSPROF_SITE_(tsprof_site_, name, NULL, COUNTER, 1);                                \
		if (TSPROF_IS_ON_()) {                                                             \
			const double tsprof_value_ = (double)(value);                              \
			tsprof_bytes_(&tsprof_site_, TSPROF_WHAT_COUNTER, &tsprof_value_,          \
				      sizeof(tsprof_value_));                                      \
		}                                                                                  \
	} while (0)

/* A copy of bytes as they are now, and of text as printf writes it. */
#define TSPROF_SNAPSHOT(name, bytes, size)                                                         \
	do {                                                                                       \
		TSPROF_SITE_(tsprof_site_, name, NULL, SNAPSHOT, 1);                               \
		if (TSPROF_IS_ON_())                                                               \
			tsprof_bytes_(&tsprof_site_, TSPROF_WHAT_SNAPSHOT, bytes, size);           \
	} while (0)
#define TSPROF_SNAPSHOT_TEXT(name, ...)                                                            \
	do {                                                                                       \
		TSPROF_SITE_(tsprof_site_, name, NULL, SNAPSHOT, 1);                               \
		if (TSPROF_IS_ON_())                                                               \
			tsprof_text_(&tsprof_site_, TSPROF_WHAT_TEXT_SNAPSHOT, __VA_ARGS__);       \
	} while (0)

#ifdef __cplusplus
}
#endif

#endif

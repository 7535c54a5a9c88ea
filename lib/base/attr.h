/*
 * base/attr.h - compiler attributes, spelt once, and the cleanup idiom.
 *
 * C17 with -Wpedantic refuses [[nodiscard]], so the GNU spellings are wrapped
 * here. Ownership is shown by the type of the variable: a `pst_auto_*` local
 * frees what it holds at the end of its scope; PST_TAKE hands it over.
 */
#pragma once

#include <errno.h>
#include <stdlib.h>

#define PST_CHECKED __attribute__((warn_unused_result))
#define PST_NONNULL(...) __attribute__((nonnull(__VA_ARGS__)))
#define PST_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define PST_UNUSED __attribute__((unused))
#define PST_NORETURN __attribute__((noreturn))
#define PST_CLEANUP(fn) __attribute__((cleanup(fn)))

#define PST_NELEM(a) (sizeof(a) / sizeof((a)[0]))

/* Hand the pointer over: the variable becomes NULL, so its cleanup does nothing.
 * The argument is evaluated twice: a plain variable, no side effects. */
#define PST_TAKE(p)                     \
	__extension__({                 \
		__typeof__(p) t_ = (p); \
		(p) = NULL;             \
		t_;                     \
	})

/* The same for a file descriptor: the variable becomes -1. */
#define PST_TAKE_FD(fd)        \
	__extension__({        \
		int t_ = (fd); \
		(fd) = -1;     \
		t_;            \
	})

static inline void pst_cleanup_free(void *p)
{
	const int e = errno; /* cleanup runs between a failure and its report */
	free(*(void **)p);
	errno = e;
}

/* A pointer from malloc(3), freed at end of scope. */
#define pst_auto_free PST_CLEANUP(pst_cleanup_free)

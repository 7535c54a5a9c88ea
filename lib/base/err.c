#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void put(char *dst, size_t size, const char *src)
{
	snprintf(dst, size, "%s", src == NULL ? "" : src);
}

PST_PRINTF(4, 0)
static int vfail(struct pst_err *err, int code, const char *pointer, const char *fmt, va_list ap)
{
	if (err == NULL)
		return code;
	/* Arguments may point into *err itself (a message wrapped in another). */
	char msg[sizeof err->msg];
	vsnprintf(msg, sizeof msg, fmt, ap);
	put(err->pointer, sizeof err->pointer, pointer);
	memcpy(err->msg, msg, sizeof msg);
	err->code = code;
	err->sys = 0;
	err->file[0] = err->rule[0] = err->cure[0] = '\0';
	return code;
}

int pst_fail(struct pst_err *err, int code, const char *pointer, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vfail(err, code, pointer, fmt, ap);
	va_end(ap);
	return code;
}

int pst_fail_sys(struct pst_err *err, const char *fmt, ...)
{
	const int e = errno;
	va_list ap;
	va_start(ap, fmt);
	vfail(err, PST_E_HOST, "", fmt, ap);
	va_end(ap);
	if (err != NULL) {
		const size_t n = strlen(err->msg);
		snprintf(err->msg + n, sizeof err->msg - n, ": %s", strerror(e));
		err->sys = e;
	}
	errno = e;
	return PST_E_HOST;
}

int pst_fail_nomem(struct pst_err *err)
{
	return pst_fail(err, PST_E_NOMEM, "", "out of memory");
}

int pst_err_file(struct pst_err *err, const char *file)
{
	if (err == NULL)
		return PST_E_BUG;
	put(err->file, sizeof err->file, file);
	return err->code;
}

int pst_err_rule(struct pst_err *err, const char *rule)
{
	if (err == NULL)
		return PST_E_BUG;
	put(err->rule, sizeof err->rule, rule);
	return err->code;
}

int pst_err_cure(struct pst_err *err, const char *fmt, ...)
{
	if (err == NULL)
		return PST_E_BUG;
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(err->cure, sizeof err->cure, fmt, ap);
	va_end(ap);
	return err->code;
}

int pst_err_prefix(struct pst_err *err, const char *fmt, ...)
{
	if (err == NULL)
		return PST_E_BUG;
	char head[256], old[sizeof err->msg];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(head, sizeof head, fmt, ap);
	va_end(ap);
	memcpy(old, err->msg, sizeof old);
	const int n = snprintf(err->msg, sizeof err->msg, "%s: ", head);
	put(err->msg + n, sizeof err->msg - (size_t)n, old);
	return err->code;
}

const char *pst_code_name(int code)
{
	static const char *const names[] = {
		"OK",	   "SPEC",  "POLICY", "EXHAUSTED", "HOST",
		"RUNTIME", "STATE", "NOMEM",  "USAGE",	   "BUG",
	};
	const int i = -code;
	return i >= 0 && i < (int)PST_NELEM(names) ? names[i] : "BUG";
}

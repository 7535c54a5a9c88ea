/*
 * core/quantity.h - "100Mi", "500m", "1Gbit": amounts as people write them.
 *
 * Pure. A quantity is digits with an optional fraction and a suffix, the form
 * of Kubernetes (apimachinery "resource.Quantity"): Ki Mi Gi Ti Pi Ei are powers
 * of 1024; n u m k M G T P E powers of 1000; e3 or E3 a decimal exponent. No
 * sign, no space, no hexadecimal. A result that does not fit 64 bits is refused,
 * never clamped; a fraction of the unit asked for is rounded up, as Kubernetes
 * does, so that a limit is never rounded down to nothing.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"

enum pst_quantity_unit {
	PST_QUANTITY_COUNT, /* whole things: pids, operations a second, bytes */
	PST_QUANTITY_MILLI, /* thousandths: "0.5" and "500m" are 500 */
	PST_QUANTITY_BITS,  /* bits a second; a trailing "bit" or "bps" is allowed: "1Gbit" */
};

/*
 * Parse the whole of `text` as Kubernetes would.
 * Returns PST_OK with the amount in *ret, or PST_E_SPEC (not a quantity, or
 * beyond 64 bits); the caller knows the file and pointer and adds them.
 */
PST_CHECKED PST_NONNULL(1, 3) int pst_quantity_parse(const char *text, enum pst_quantity_unit unit,
						     uint64_t *ret, struct pst_err *err);

/*
 * Bytes as a Docker command line means them: b, k, m, g and t in lower case,
 * with or without a final b, are powers of 1024 ("512m" is 512 MiB, where
 * Kubernetes reads thousandths of a byte). Every other form is as above.
 */
PST_CHECKED PST_NONNULL(1, 2) int pst_quantity_docker_bytes(const char *text, uint64_t *ret,
							    struct pst_err *err);

/*
 * A number as the kernel reads one from a cgroup file, by memparse() or kstrtoll(): blanks around
 * it, a suffix K, M, G, T, P or E in either case, or "max" (*ret_max). It would take octal and
 * hexadecimal too: those are refused, whoever writes them may mean another number.
 */
PST_CHECKED bool pst_quantity_kernel(const char *text, uint64_t *ret, bool *ret_max);

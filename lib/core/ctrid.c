#include "core/ctrid.h"

#include <sha2.h>
#include <stdint.h>
#include <string.h>

static bool id_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr("_+.-", c) != NULL);
}

int pst_ctrid_check(const char *id, struct pst_err *err)
{
	const size_t n = id == NULL ? 0 : strlen(id);
	if (n == 0)
		return pst_fail(err, PST_E_USAGE, "", "the container id is empty");
	if (n > PST_CTRID_MAX)
		return pst_fail(err, PST_E_USAGE, "",
				"container id %.24s... is %zu bytes long, more than %d", id, n,
				PST_CTRID_MAX);
	for (size_t i = 0; i < n; i++)
		if (!id_byte(id[i]))
			return pst_fail(err, PST_E_USAGE, "",
					"container id has byte 0x%02x at offset %zu; allowed are "
					"letters, digits and _ + - .",
					(unsigned)(unsigned char)id[i], i);
	if (strcmp(id, ".") == 0 || strcmp(id, "..") == 0)
		return pst_fail(err, PST_E_USAGE, "", "\"%s\" cannot be a container id", id);
	return PST_OK;
}

void pst_ctrid_key(const char *root, const char *id, char out[PST_KEY_LEN + 1])
{
	static const char hex[] = "0123456789abcdef";
	uint8_t sum[SHA256_DIGEST_LENGTH];
	SHA2_CTX ctx;
	SHA256Init(&ctx);
	SHA256Update(&ctx, (const uint8_t *)root, strlen(root) + 1); /* the NUL divides */
	SHA256Update(&ctx, (const uint8_t *)id, strlen(id));
	SHA256Final(sum, &ctx);
	for (size_t i = 0; i < PST_KEY_LEN / 2; i++) {
		out[2 * i] = hex[sum[i] >> 4];
		out[2 * i + 1] = hex[sum[i] & 15];
	}
	out[PST_KEY_LEN] = '\0';
}

bool pst_ctrid_is_key(const char *s)
{
	return strlen(s) == PST_KEY_LEN && strspn(s, "0123456789abcdef") == PST_KEY_LEN;
}

#include "host/lease_priv.h"

#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "host/dirents.h"
#include "host/hostops.h"
#include "host/io.h"

#define NAME ".hint"

/* The file as it stands. What makes it count comes last: a writer killed in the
 * middle leaves new bits under an older time, which is no worse than older bits. */
struct hintfile {
	struct pst_idset used;
	struct pst_idset live;
	int64_t live_ms;
	char boot[PST_BOOTID_LEN + 4];
	char magic[8];
};

static const char magic[8] = {'p', 's', 't', 'h', 'i', 'n', 't', '1'};

static bool read_boot(char out[PST_BOOTID_LEN + 4])
{
	memset(out, 0, PST_BOOTID_LEN + 4);
	return pst_io_read_small(AT_FDCWD, "/proc/sys/kernel/random/boot_id", out,
				 PST_BOOTID_LEN + 4) >= PST_BOOTID_LEN;
}

static bool read_hint(struct pst_leases *l, struct hintfile *f)
{
	char boot[PST_BOOTID_LEN + 4];
	pst_auto_fd fd = pst_host->openat(l->fd, NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW, 0);
	return fd >= 0 && pst_host->read(fd, f, sizeof *f) == (ssize_t)sizeof *f &&
	       memcmp(f->magic, magic, sizeof magic) == 0 && read_boot(boot) &&
	       memcmp(f->boot, boot, sizeof boot) == 0;
}

static int add_name(void *arg, const char *name, struct pst_err *err PST_UNUSED)
{
	struct pst_idspan block;
	if (pst_lease_block(name, &block))
		pst_idset_add(arg, block);
	return PST_OK;
}

int pst_leasehint_list(struct pst_leases *l, struct pst_leasehint *h, struct pst_err *err)
{
	struct pst_idset used = {0};
	const int rc = pst_dirents_each(l->fd, add_name, &used, err);
	if (rc == PST_OK)
		h->used = used;
	return rc;
}

int pst_leasehint_load(struct pst_leases *l, struct pst_leasehint *out, struct pst_err *err)
{
	struct hintfile f;
	if (!read_hint(l, &f)) {
		out->live_ms = 0;
		out->live = (struct pst_idset){0};
		return pst_leasehint_list(l, out, err);
	}
	*out = (struct pst_leasehint){.used = f.used, .live = f.live, .live_ms = f.live_ms};
	return PST_OK;
}

void pst_leasehint_save(struct pst_leases *l, const struct pst_leasehint *h)
{
	struct hintfile f = {.used = h->used, .live = h->live, .live_ms = h->live_ms};
	memcpy(f.magic, magic, sizeof magic);
	pst_auto_fd fd = pst_host->openat(l->fd, NAME,
					  O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 || !read_boot(f.boot) || pst_io_write_all(fd, &f, sizeof f) != 0)
		pst_leasehint_forget(l);
}

void pst_leasehint_forget(struct pst_leases *l)
{
	(void)pst_host->unlinkat(l->fd, NAME, 0);
}

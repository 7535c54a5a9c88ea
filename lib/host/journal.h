/*
 * host/journal.h - what was begun, so that it can be undone (I-5).
 *
 * A file of one JSON object a line, appended with one write(2) each:
 *
 *   {"seq":1,"event":"begin","step":"lease","arg":{"first":1879048192}}
 *   {"seq":2,"event":"done","step":"lease","of":1,"note":{...}}
 *   {"seq":3,"event":"undo","step":"lease","of":1}
 *   {"seq":4,"event":"undone","step":"lease","of":1}
 *   {"seq":5,"event":"mark","step":"verified"}
 *
 * `begin` is written before the step runs and names what undo needs (arg); the
 * other events point at it with `of`. A step that was begun and never undone is
 * undone on failure, on delete and after a crash, latest first.
 *
 * No fsync: a record survives the death of any process as soon as write(2) has
 * returned. Against power loss it need not last: what the steps did (mounts,
 * processes, leases) does not last either, and whatever a state directory on
 * disk kept is told apart by its boot id.
 *
 * A torn last line (killed while writing, full disk) is not a record: readers
 * skip it, writers cut it off first. One journal has one writer, the holder of
 * the container's lock.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"

#define PST_JOURNAL_NAME "journal"
#define PST_JOURNAL_MAX ((size_t)16 << 20) /* bytes; more is not a journal of ours */

enum pst_jevent { PST_J_BEGIN, PST_J_DONE, PST_J_UNDO, PST_J_UNDONE, PST_J_MARK };

/* Open for writing; fd -1 is none. */
struct pst_journal {
	int fd;
	uint64_t seq; /* of the last record */
	int64_t size; /* bytes of whole records */
};

#define PST_JOURNAL_NONE {.fd = -1}
#define pst_auto_journal PST_CLEANUP(pst_journal_close) struct pst_journal

/* Open dfd/PST_JOURNAL_NAME, made 0600 if missing, and go on after its last
 * whole record. */
PST_CHECKED PST_NONNULL(2)
int pst_journal_open(int dfd, struct pst_journal *out, struct pst_err *err);
void pst_journal_close(struct pst_journal *j);

/*
 * Append one record.
 * of    seq of the step's begin; 0 for begin and mark.
 * step  the step's kind ("lease", "rootfs"), or the mark's name. Borrowed.
 * arg   object or NULL: of begin what undo needs, else a note. Borrowed.
 * ret   the record's seq; may be NULL.
 * PST_E_HOST (full disk): the journal is as before.
 */
PST_CHECKED PST_NONNULL(1, 4)
int pst_journal_put(struct pst_journal *j, enum pst_jevent event, uint64_t of, const char *step,
		    const json_t *arg, uint64_t *ret, struct pst_err *err);

/* A step that was begun and not undone. Pointers are into the view. */
struct pst_jstep {
	uint64_t seq;     /* of its begin */
	const char *step;
	const json_t *arg;  /* of begin; NULL if none */
	const json_t *note; /* of done; NULL if none or not done */
	bool done;
	bool undoing; /* an undo was begun and did not end */
};

/* A journal as read. */
struct pst_jview {
	json_t *records;         /* array of objects; owned */
	struct pst_jstep *open;  /* begun and not undone, latest first; owned */
	size_t nopen;
	size_t damaged; /* first line that is no record though others follow; 0 is none */
};

#define pst_auto_jview PST_CLEANUP(pst_jview_done) struct pst_jview

/*
 * Read dfd/PST_JOURNAL_NAME. A missing file is an empty journal. A damaged line
 * in the middle is skipped and noted, so that the rest can still be undone.
 */
PST_CHECKED PST_NONNULL(2)
int pst_journal_read(int dfd, struct pst_jview *out, struct pst_err *err);
void pst_jview_done(struct pst_jview *v);

/* Was the mark set? Never true of a damaged journal (I-4). */
PST_CHECKED PST_NONNULL(1, 2)
bool pst_journal_marked(const struct pst_jview *v, const char *name);

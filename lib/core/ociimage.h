/*
 * core/ociimage.h - the documents of an OCI image layout, read and judged.
 *
 * Pure: the caller brings the bytes (host/image.h), having checked that a blob
 * has the digest and size of the descriptor that named it. Every document is
 * untrusted and goes through pst_json_parse first. Errors are PST_E_SPEC with
 * file, pointer and cure, or PST_E_NOMEM.
 *
 * Source: OCI image-spec v1.1: image-layout.md, image-index.md, manifest.md,
 * config.md, descriptor.md, media-types.md; Docker's distribution
 * manifest-v2-2 for its equivalents of the same media types.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"

#define PST_OCI_HEX 64                       /* lower-case digits of a sha256 */
#define PST_OCI_BLOB_MAX ((uint64_t)4 << 20) /* longest JSON document: 4 MiB, as containerd */
#define PST_OCI_LAYERS_MAX 128 /* overlay takes at most 500 lower layers; Docker 127 */

/* Architecture in Go's words, as image platforms are written. */
#if defined(__x86_64__)
#define PST_OCI_ARCH "amd64"
#elif defined(__aarch64__)
#define PST_OCI_ARCH "arm64"
#else
#error "name the architecture as image platforms do"
#endif

enum pst_oci_kind {
	PST_OCI_INDEX,
	PST_OCI_MANIFEST,
	PST_OCI_CONFIG,
	PST_OCI_TAR,
	PST_OCI_TAR_GZIP,
	PST_OCI_TAR_ZSTD,
};

/* What a descriptor points at: a blob, by digest, with its size in bytes. */
struct pst_oci_desc {
	enum pst_oci_kind kind;
	char hex[PST_OCI_HEX + 1]; /* sha256 of the blob */
	uint64_t size;
};

struct pst_oci_manifest {
	struct pst_oci_desc config;
	struct pst_oci_desc *layers; /* bottom first, as written; owned */
	size_t nlayers;
};

/* What a launch takes from an image config. Absent texts are NULL, lists are
 * NULL-terminated and never NULL. All owned. */
struct pst_oci_config {
	char **entrypoint;
	char **cmd;
	char **env;     /* "K=V" */
	char **volumes; /* paths the image wants to be volumes, sorted as written */
	char *user;     /* "", "name", "1000:1000", ... */
	char *workdir;
	char *stop_signal;
	char (*diffids)[PST_OCI_HEX + 1]; /* sha256 of each layer's tar, bottom first */
	size_t ndiffids;
};

/*
 * `text` must be "sha256:" and 64 lower-case hexadecimal digits, the only form
 * read here (descriptor.md "registered algorithms"). Writes the digits and a NUL.
 */
PST_CHECKED PST_NONNULL(1, 2) int pst_ociimage_digest(const char *text, char hex[PST_OCI_HEX + 1],
						      struct pst_err *err);

/* The file "oci-layout": imageLayoutVersion must be 1.0.0. `name` is for errors. */
PST_CHECKED PST_NONNULL(1, 3) int pst_ociimage_layout(const char *text, size_t len,
						      const char *name, struct pst_err *err);

/*
 * Choose from "index.json".
 *
 * tag  value wanted of the annotation org.opencontainers.image.ref.name, or of
 *      containerd's io.containerd.image.name (whole, or what follows its last
 *      ':'). NULL takes the only entry, else the one called "latest".
 * ret  a manifest, or an index of platforms to go to pst_ociimage_platform with.
 *
 * Several entries of one tag are told apart by platform, linux and PST_OCI_ARCH.
 * The error lists the tags that exist.
 */
PST_CHECKED PST_NONNULL(1, 3, 5) int pst_ociimage_index(const char *text, size_t len,
							const char *name, const char *tag,
							struct pst_oci_desc *ret,
							struct pst_err *err);

/* Choose the manifest for linux and PST_OCI_ARCH from a nested index. */
PST_CHECKED PST_NONNULL(1, 3,
			4) int pst_ociimage_platform(const char *text, size_t len, const char *name,
						     struct pst_oci_desc *ret, struct pst_err *err);

/* Parse a manifest; *ret is owned by the caller on success. */
PST_CHECKED PST_NONNULL(1, 3, 4) int pst_ociimage_manifest(const char *text, size_t len,
							   const char *name,
							   struct pst_oci_manifest *ret,
							   struct pst_err *err);

/*
 * Parse an image config; *ret is owned by the caller on success.
 * nlayers  layers of the manifest: rootfs.diff_ids must have as many.
 */
PST_CHECKED PST_NONNULL(1, 3, 5) int pst_ociimage_config(const char *text, size_t len,
							 const char *name, size_t nlayers,
							 struct pst_oci_config *ret,
							 struct pst_err *err);

/* Free what the struct owns; each accepts an empty one. */
void pst_oci_manifest_done(struct pst_oci_manifest *m);
void pst_oci_config_done(struct pst_oci_config *c);

/* Split `LAYOUT[:TAG]` in text only: a ':' after the last '/' starts the tag.
 * Returns the length of the path part; *tag points into `ref` or is NULL. */
PST_CHECKED PST_NONNULL(1, 2) size_t pst_ociimage_split(const char *ref, const char **tag);

# shellcheck shell=bash
# tests/integ/bundles.sh - small bundles around a static busybox, and what is left of containers.

# work_dir NAME: a scratch directory in $WORK, removed at the end.
work_dir() {
	WORK=$(mktemp -d "/var/tmp/pst-$1.XXXXXX")
	chmod 755 "$WORK"
	undo "rm -rf '$WORK'"
}

# make_rootfs DIR
make_rootfs() {
	"$INTEG/bundle.py" rootfs "$1"
}

# bundle DIR ROOTFS SCRIPT: a config.json as `runc spec` writes it, running SCRIPT.
bundle() {
	mkdir -p "$1"
	rm -f "$1/config.json"
	(cd "$1" && runc spec)
	jq --arg r "$2" --arg s "$3" '.process.terminal = false | .process.args = ["/bin/sh", "-c", $s] |
		.root = {"path": $r, "readonly": false} | .process.noNewPrivileges = false |
		.process.capabilities = (["bounding", "effective", "permitted"] | map({(.): ["CAP_CHOWN",
		"CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_KILL", "CAP_SETGID", "CAP_SETUID", "CAP_NET_RAW",
		"CAP_NET_BIND_SERVICE", "CAP_MKNOD", "CAP_SYS_CHROOT"]}) | add)' "$1/config.json" >"$1/new"
	mv "$1/new" "$1/config.json"
}

# leftovers: containers, leases, stages and mounts of ours, one a line.
leftovers() {
	local d=/run/postern
	find "$d/c" "$d/making" "$d/stage" "$d/launch" "$d/ids" -mindepth 1 -maxdepth 1 ! -name '.*' -printf '%f\n' 2>/dev/null
	grep -E ' - [a-z]+ postern-[0-9a-f]{32} ' /proc/self/mountinfo
	true
}

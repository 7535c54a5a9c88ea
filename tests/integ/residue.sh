# shellcheck shell=bash
# tests/integ/residue.sh - what a container may leave on a host, as text that two moments can be compared by.
#
# Sourced after tap.sh. POSTERN_STATE is postern's state directory (default /run/postern).
# The sweep promise is: after `delete`, or `doctor --repair`, or the next `create`, nothing of these is left.

POSTERN_STATE=${POSTERN_STATE:-/run/postern}
# First id of the pool of host ids: whoever runs with a uid above is of a container.
POOL_FIRST=1879048192

# residue_mounts: every mount of this namespace, without the ids that differ from boot to boot.
residue_mounts() {
	awk '{ i = 7; while ($i != "-") i++; print "mount", $5, $(i + 1), $(i + 2) }' /proc/self/mountinfo
}

# residue_cgroups: every control group, of whichever version.
residue_cgroups() {
	find /sys/fs/cgroup -mindepth 2 -type d 2>/dev/null | sed 's/^/cgroup /'
}

# residue_processes: whoever runs as an id of the pool, and every runtime, shim or postern process.
residue_processes() {
	local status pid
	for status in /proc/[0-9]*/status; do
		pid=${status#/proc/}
		awk -v p="${pid%/status}" -v first=$POOL_FIRST '
			/^Name:/ { name = $2 }
			/^State:.*zombie/ { exit }
			/^Uid:/ { if ($2 + 0 >= first + 0 || name ~ /^(postern|runc|runc:.*|crun)$/) print "process", name, "uid", $2, "pid", p }' \
			"$status" 2>/dev/null
	done
}

# residue_state: leases and per-container directories. The lock files that stay by design are left out.
residue_state() {
	[ -d "$POSTERN_STATE" ] || return 0
	find "$POSTERN_STATE" -mindepth 2 ! -name '.lock' ! -name 'lock' ! -path "$POSTERN_STATE/*/lock/*" 2>/dev/null |
		sed 's/^/state /'
}

# residue: all of it, sorted.
residue() {
	{
		residue_mounts
		residue_cgroups
		residue_processes
		residue_state
	} | sort
}

# residue_since FILE: what is there now that was not when `residue >FILE` ran; empty is good.
residue_since() { comm -13 "$1" <(residue); }

# leases: the held blocks, one line each: file name.
leases() {
	[ -d "$POSTERN_STATE/ids" ] || return 0
	find "$POSTERN_STATE/ids" -type f ! -name '.*' ! -name lock -printf '%f\n'
}

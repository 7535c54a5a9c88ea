# shellcheck shell=bash
# tests/integ/tap.sh - what every integration test shares: TAP lines, skips, clean-up in reverse.
#
# A test sources this, calls `ok`, `not_ok`, `check` or `skip`, and ends with `tap_done`.
# Environment:
#   RUNTIME            the OCI runtime under test (default: runc)
#   POSTERN_CACHE      where trees that are costly to make are kept (default: /var/cache/postern-test)
#   POSTERN_MUST_WORK  1 turns every skip into a failure, so that CI cannot pass by doing nothing

RUNTIME=${RUNTIME:-runc}
POSTERN_CACHE=${POSTERN_CACHE:-/var/cache/postern-test}
INTEG=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export RUNTIME POSTERN_CACHE INTEG

TAP_NUMBER=0
TAP_FAILED=0
TAP_SKIPPED=0
TAP_UNDO=()

# ok NAME / not_ok NAME [WHY]: one TAP line; WHY may have many lines and becomes a comment.
ok() {
	TAP_NUMBER=$((TAP_NUMBER + 1))
	printf 'ok %d - %s\n' "$TAP_NUMBER" "$1"
}

not_ok() {
	TAP_NUMBER=$((TAP_NUMBER + 1))
	TAP_FAILED=$((TAP_FAILED + 1))
	printf 'not ok %d - %s\n' "$TAP_NUMBER" "$1"
	[ -z "${2:-}" ] || printf '%s\n' "$2" | sed 's/^/# /'
}

# check NAME CMD...: ok when CMD succeeds; else its output is the reason.
check() {
	local name=$1 out
	shift
	if out=$("$@" 2>&1); then ok "$name"; else not_ok "$name" "$out"; fi
}

# equal NAME GOT WANT
equal() {
	if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "got:  $2
want: $3"; fi
}

# skip NAME REASON: a skip, or a failure where nothing may be skipped.
skip() {
	if [ "${POSTERN_MUST_WORK:-0}" = 1 ]; then
		not_ok "$1" "not run ($2), and POSTERN_MUST_WORK=1"
		return
	fi
	TAP_NUMBER=$((TAP_NUMBER + 1))
	TAP_SKIPPED=$((TAP_SKIPPED + 1))
	printf 'ok %d - %s # SKIP %s\n' "$TAP_NUMBER" "$1" "$2"
}

# tap_done: the plan and the exit status.
tap_done() {
	printf '1..%d\n' "$TAP_NUMBER"
	printf '# %d passed, %d failed, %d skipped\n' $((TAP_NUMBER - TAP_FAILED - TAP_SKIPPED)) \
		"$TAP_FAILED" "$TAP_SKIPPED"
	[ "$TAP_FAILED" -eq 0 ]
}

# skip_all REASON: nothing of this test can run here.
skip_all() {
	skip "$(basename "$0")" "$1"
	tap_done
	exit $?
}

# bail MSG: the harness itself cannot go on.
bail() {
	printf 'Bail out! %s\n' "$*"
	exit 99
}

# undo CMD: a command line run at exit, the last one given first.
undo() { TAP_UNDO+=("$1"); }

tap_clean_up() {
	local i
	for ((i = ${#TAP_UNDO[@]} - 1; i >= 0; i--)); do
		eval "${TAP_UNDO[i]}" >/dev/null 2>&1 || true
	done
	TAP_UNDO=()
}
trap tap_clean_up EXIT
trap 'exit 130' INT TERM

# need_root / need CMD...: skip the whole test when something is missing.
need_root() { [ "$(id -u)" = 0 ] || skip_all "needs root"; }
need() {
	local c
	for c in "$@"; do
		command -v "$c" >/dev/null || skip_all "needs $c"
	done
}

# scratch: a fresh directory in $SCRATCH, below a parent that others may search, removed at exit.
# It is on a real disk: runtimes and image stores behave otherwise on tmpfs.
scratch() {
	SCRATCH=$(mktemp -d "/var/tmp/pst-${1:-integ}.XXXXXX")
	chmod 0711 "$SCRATCH"
	undo "rm -rf --one-file-system '$SCRATCH'"
}

# wait_for SECONDS CMD...: poll until CMD succeeds.
wait_for() {
	local end=$(($(date +%s) + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$(date +%s)" -lt "$end" ] || return 1
		sleep 0.05
	done
}

# gone PID: no such process any more.
gone() { ! kill -0 "$1" 2>/dev/null; }

# stop_pid PID: end one process that this test started, and wait for it.
stop_pid() {
	kill "$1" 2>/dev/null || return 0
	wait_for 10 gone "$1" || kill -9 "$1"
}

# is_postern: is the runtime under test postern (its promises then hold) or a plain runtime?
is_postern() { "$RUNTIME" --version 2>/dev/null | grep -qi postern; }

need_runtime() {
	RUNTIME=$(command -v "$RUNTIME") || skip_all "no runtime $RUNTIME"
	RUNTIME=$(realpath -s "$RUNTIME")
}

# shellcheck shell=bash
# tests/integ/engines/owners.sh - what the three engine tests share. Sources tap.sh and residue.sh.
# shellcheck source-path=SCRIPTDIR source=../tap.sh
. "$(dirname "${BASH_SOURCE[0]}")/../tap.sh"
# shellcheck source-path=SCRIPTDIR source=../residue.sh
. "$INTEG/residue.sh"

# What a container does to its root file system before its layer is looked at.
# shellcheck disable=SC2034 # read by the tests
WRITER='mkdir -p /data && echo root >/data/root && echo www >/data/www && chown 33:44 /data/www &&
chmod 4755 /data/www && echo high >/data/high && chown 65534:65534 /data/high &&
ln -s www /data/link && chown -h 5:6 /data/link && mkfifo /data/fifo && rm /bin/vi && touch /etc/passwd && echo written'
# ... and what its layer then holds: type and permissions, owner, name.
# shellcheck disable=SC2034
WRITTEN='d755 0:0 data
-644 0:0 data/root
-4755 33:44 data/www
-644 65534:65534 data/high
l777 5:6 data/link
p644 0:0 data/fifo'

# owners_in_tar FILE: lines of the form of WRITTEN for members below data/.
owners_in_tar() {
	python3 - "$1" <<-'PY'
		import sys, tarfile
		KINDS = {tarfile.DIRTYPE: "d", tarfile.REGTYPE: "-", tarfile.SYMTYPE: "l", tarfile.FIFOTYPE: "p"}
		with tarfile.open(sys.argv[1]) as tar:
		    for m in tar:
		        name = m.name.strip("./")
		        if name == "data" or name.startswith("data/"):
		            print(f"{KINDS.get(m.type, '?')}{m.mode:o} {m.uid}:{m.gid} {name}")
	PY
}

# owners_on_disk DIR: the same for a directory.
owners_on_disk() {
	(cd "$1" && find data -printf '%y%m %U:%G %p\n' | sed 's/^f/-/')
}

# same_lines NAME GOT WANT: equal but for order.
same_lines() { equal "$1" "$(sort <<<"$2")" "$(sort <<<"$3")"; }

# host_uid_of PID: the real uid of a process as this machine sees it.
host_uid_of() { awk '/^Uid:/ { print $2 }' "/proc/$1/status"; }

# confined NAME PID: postern's promise I-2 for a container's init; a plain runtime must be plain root.
confined() {
	local uid
	uid=$(host_uid_of "$2")
	if is_postern; then
		if [ "${uid:-0}" -ge 65536 ]; then ok "$1: host uid $uid"; else not_ok "$1: no host root" "host uid ${uid:-unknown}"; fi
	else
		equal "$1: plain runtime, host root" "$uid" 0
	fi
}

# nothing_left FILE: compares with the residue recorded in FILE, waiting a little for reapers.
nothing_left() {
	local left
	wait_for 5 eval "[ -z \"\$(residue_since '$1')\" ]"
	left=$(residue_since "$1")
	equal "nothing is left on the host" "$left" ""
}

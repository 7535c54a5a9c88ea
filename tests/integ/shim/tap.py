"""TAP lines of the shim suites: ok, equal, group, done. One Tap object a program."""
import contextlib
import os
import sys
import traceback

SLOW = float(os.environ.get("POSTERN_TEST_SLOW", "1"))  # waits are that much longer: an emulated machine


class Tap:
    """Counts points; a group that throws is one failed point and the next group still runs."""

    def __init__(self, only=""):
        self.number = self.failed = self.skipped = 0
        self.only = only

    def ok(self, good, name, why=""):
        """One point; `why` is printed below a failure."""
        self.number += 1
        if good:
            print(f"ok {self.number} - {name}", flush=True)
            return True
        self.failed += 1
        print(f"not ok {self.number} - {name}", flush=True)
        for line in str(why).splitlines()[:40]:
            print(f"# {line}", flush=True)
        return False

    def equal(self, name, got, want):
        """One point: two values are the same."""
        return self.ok(got == want, name, f"got:  {got!r}\nwant: {want!r}")

    def near(self, name, want, percent, measure):
        """One point: measure() comes within `percent` of a limit.

        A busy machine gives less than a limit lets through, so that too little is measured again, three times; too much
        is a fault at once.
        """
        got = [measure()]
        while got[-1] < want * (1 - percent / 100) and len(got) < 4:
            got.append(measure())
        print(f"# {name}: set {want}, achieved " + ", ".join(f"{g:.4g} ({g / want * 100 - 100:+.1f} %)" for g in got), flush=True)
        self.ok(abs(got[-1] / want - 1) <= percent / 100, f"{name}: within {percent} % of {want}", got)

    def beyond(self, stock, name, got, want):
        """As equal(), for what the stock shim of containerd 1.6 is known not to hold (`stock`) and ours has to."""
        if stock and got != want:
            self.skip(name, "the stock shim does not")
        else:
            self.equal(name, got, want)

    def skip(self, name, reason):
        """A skip, or a failure where nothing may be skipped."""
        if os.environ.get("POSTERN_MUST_WORK") == "1":
            self.ok(False, name, f"not run ({reason}), and POSTERN_MUST_WORK=1")
            return
        self.number += 1
        self.skipped += 1
        print(f"ok {self.number} - {name} # SKIP {reason}", flush=True)

    def group(self, function, *args):
        """Run one group of points, unless --only names another."""
        if self.only and self.only not in function.__name__:
            return
        try:
            function(self, *args)
        except Exception:  # any fault of a group is a failed point, never the end of the program
            self.ok(False, f"{function.__name__} ran to its end", traceback.format_exc(limit=-4))

    def done(self):
        """The plan, the tally and the exit status."""
        print(f"1..{self.number}")
        print(f"# {self.number - self.failed - self.skipped} passed, {self.failed} failed, "
              f"{self.skipped} skipped", flush=True)
        return 1 if self.failed else 0


@contextlib.contextmanager
def whole_program(tap, stop):
    """Run the body; whatever happens, call stop() at the end."""
    try:
        yield
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception:
        tap.ok(False, "the suite ran to its end", traceback.format_exc(limit=-6))
    finally:
        stop()

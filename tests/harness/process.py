"""A program that runs beside the test: its log in a file, its end by its handle.

Every process is told by the kernel to die with us (PR_SET_PDEATHSIG), so a killed test run leaves nothing
behind. The kernel ties that to the starting thread: start processes from the main thread."""
import ctypes
import os
import re
import signal
import subprocess

from harness.waiting import Expired, wait_until

LIBC = ctypes.CDLL(None)
PR_SET_PDEATHSIG = 1

running = []  # for the report of a failed test


def die_with_parent(sig=signal.SIGKILL):
    return lambda: LIBC.prctl(PR_SET_PDEATHSIG, int(sig))


class Process:
    """argv: the command; log: file that receives stdout and stderr; death: signal when the tests die."""

    def __init__(self, argv, log, *, env=None, cwd=None, death=signal.SIGKILL):
        self.name = os.path.basename(argv[0])
        self.argv, self.log = argv, log
        with open(log, "ab") as out:
            self.log_start = out.tell()
            self.child = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, env=env, cwd=cwd,
                preexec_fn=die_with_parent(death))
        running.append(self)

    @property
    def pid(self):
        return self.child.pid

    @property
    def alive(self):
        return self.child.poll() is None

    def log_text(self):
        """What this run of the program has written so far."""
        try:
            with open(self.log, "rb") as file:
                file.seek(self.log_start)
                return file.read().decode("utf-8", "replace")
        except FileNotFoundError:
            return ""  # its folder went before it did

    def send(self, sig):
        if self.alive:
            self.child.send_signal(sig)

    def wait(self, timeout=15.0):
        """The exit status; a program that is still there at the deadline is killed and fails the test."""
        try:
            return self.child.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Expired(f"{self.name} did not end within {timeout} s:\n{self.log_text()[-4000:]}") from None

    def stop(self, sig=signal.SIGTERM, timeout=15.0):
        self.send(sig)
        return self.wait(timeout)

    def kill(self):
        self.send(signal.SIGKILL)
        self.child.wait(15)
        return self.child.returncode

    def wait_log(self, pattern, timeout=15.0):
        """Wait for a line that matches; the match is returned. A program that ends before it fails the test."""
        def search():
            found = re.search(pattern, self.log_text(), re.M)
            if not found and not self.alive:
                raise RuntimeError(f"{self.name} ended with {self.child.returncode} before it logged "
                                   f"{pattern!r}:\n{self.log_text()[-4000:]}")
            return found
        return wait_until(search, timeout, f"{self.name} logs {pattern!r}")

    def close(self):
        """For teardown: end it whatever its state."""
        if self.alive:
            self.kill()
        if self in running:
            running.remove(self)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

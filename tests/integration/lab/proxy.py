# SPDX-License-Identifier: BSD-2-Clause
"""sockgate-proxy, as built, in front of a socket."""
import os
import select
import signal
import subprocess
import time

from lab.child import end_with_parent

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
READY = b"sockgate-proxy: ready"


class Proxy:
    """
    One running proxy. Without a `policy` the compatibility variables in `env` decide; `bare` leaves engine and
    listener to them as well. SOCKGATE_STAND_IN=socat puts a relay that allows everything in its place: the tests'
    own test.
    """

    def __init__(self, folder, engine_socket, policy="unrestricted", env=(), listen=None, bare=False, options=()):
        self.socket = os.path.join(folder, f"proxy-{time.monotonic_ns()}.sock")
        self.audit = self.socket + ".audit"
        self.log = b""
        argv = [os.path.join(os.environ["BUILD"], "sockgate-proxy"), "--audit", self.audit, *options]
        if not bare:
            argv += ["--engine", f"unix:{engine_socket}", "--listen", listen or f"unix:{self.socket}"]
        if policy is not None:
            argv += ["--policy", policy]
        if os.environ.get("SOCKGATE_STAND_IN") == "socat":
            argv = ["socat", "-t", "3600", f"UNIX-LISTEN:{self.socket},fork", f"UNIX-CONNECT:{engine_socket}"]
        self.process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, preexec_fn=end_with_parent,
            env={**os.environ, "SOCKGATE_POLICY_DIR": os.path.join(ROOT, "policies"), **dict(env)})
        os.set_blocking(self.process.stderr.fileno(), False)
        try:
            self._wait_until_ready(10)
        except BaseException:
            self.stop()
            raise

    def _wait_until_ready(self, timeout):
        end = time.monotonic() + timeout
        while READY not in self.errors():
            if self.process.args[0] == "socat" and os.path.exists(self.socket):
                return
            assert self.process.poll() is None, f"sockgate-proxy ended: {self.errors().decode()}"
            assert time.monotonic() < end, f"sockgate-proxy is not ready: {self.log.decode()}"
            select.select([self.process.stderr], [], [], 0.05)

    def errors(self):
        """What it has said on standard error so far."""
        self.log += self.process.stderr.read() or b""
        return self.log

    def stop(self, how=signal.SIGTERM):
        """Ends it; returns its exit status. Once is enough, twice does no harm."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            return self.process.wait(10)
        finally:
            self.process.kill()
            self.process.wait()
            if not self.process.stderr.closed:
                self.errors()
                self.process.stderr.close()

# SPDX-License-Identifier: BSD-2-Clause
"""The docker command line, run for a socket: plainly, in the background, or under a terminal."""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from typing import NamedTuple


class Done(NamedTuple):
    code: int
    out: str
    err: str


class Docker:
    def __init__(self, tree, socket, folder):
        self.program = os.path.join(tree, "usr/bin/docker")
        self.socket, self.host = socket, "unix://" + socket
        config = os.path.join(folder, "config")
        os.makedirs(config, exist_ok=True)
        plugins = os.path.join(config, "cli-plugins")
        # Debian 12 has neither compose nor buildx as a plugin: the newer release's work with its engine as well.
        for candidate in (tree, *(os.path.join(os.path.dirname(tree), s) for s in ("forky", "trixie"))):
            found = os.path.join(candidate, "usr/libexec/docker/cli-plugins")
            if os.path.isdir(found) and not os.path.islink(plugins):
                os.symlink(found, plugins)
        keep = {k: v for k, v in os.environ.items() if not k.startswith(("DOCKER_", "BUILDX_", "COMPOSE_"))}
        self.env = {**keep, "DOCKER_HOST": self.host, "DOCKER_CONFIG": config, "DOCKER_BUILDKIT": "0",
                    "BUILDX_NO_DEFAULT_ATTESTATIONS": "1", "DOCKER_CLI_HINTS": "false", "TERM": "dumb"}

    def run(self, *args, data=None, stdin=None, env=(), text=True, timeout=60):
        """Runs to the end. `data` is given on standard input, which is then closed; without it, it is empty."""
        if data is None and stdin is None:
            stdin = subprocess.DEVNULL
        done = subprocess.run([self.program, *args], input=data, stdin=stdin, env={**self.env, **dict(env)},
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=text, timeout=timeout)
        return Done(done.returncode, done.stdout, done.stderr)

    def ok(self, *args, **how):
        done = self.run(*args, **how)
        assert done.code == 0, (args, done)
        return done.out

    def background(self, *args, stdin=subprocess.DEVNULL):
        return Background([self.program, *args], self.env, stdin)

    def terminal(self, *args, rows=24, columns=80):
        return Terminal([self.program, *args], self.env, rows, columns)


class Background:
    """A command that goes on: its output is read as it comes, and it is ended like a user ends it, by Ctrl-C."""

    def __init__(self, argv, env, stdin):
        self.process = subprocess.Popen(argv, env=env, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.seen = ""

    def expect(self, pattern, timeout=20):
        """Waits for output that matches; returns the match."""
        return _expect(self, self.process.stdout.fileno(), pattern, timeout)

    def interrupt(self):
        self.process.send_signal(signal.SIGINT)
        return self.end()

    def end(self, timeout=20):
        try:
            rest, _ = self.process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        self.seen += rest.decode()
        return self.process.returncode

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()


class Terminal:
    """A command under a pseudo-terminal of a given size."""

    def __init__(self, argv, env, rows, columns):
        self.master, slave = pty.openpty()
        self.resize(rows, columns)
        self.process = subprocess.Popen(argv, env=env, stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
                                        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(slave)
        self.seen = ""

    def resize(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, text):
        os.write(self.master, text.encode())

    def expect(self, pattern, timeout=20):
        return _expect(self, self.master, pattern, timeout)

    def end(self, timeout=20):
        """Reads on until the command has let go of the terminal; returns its exit status."""
        try:
            self.expect(r"\A(?!)", timeout)
        except EOFError:
            pass
        return self.process.wait(timeout)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.master)


def _expect(command, fd, pattern, timeout):
    """Reads into command.seen until it matches, which takes the match and all before it out of there."""
    end = time.monotonic() + timeout
    while not (match := re.search(pattern, command.seen)):
        left = end - time.monotonic()
        if left <= 0 or not select.select([fd], [], [], left)[0]:
            raise AssertionError(f"no {pattern!r} within {timeout} s in {command.seen!r}")
        try:
            piece = os.read(fd, 1 << 16)
        except OSError:  # a terminal that nobody holds any more answers EIO
            piece = b""
        if not piece:
            raise EOFError(f"ended before {pattern!r}: {command.seen!r}")
        command.seen += piece.decode(errors="replace")
    command.seen = command.seen[match.end():]
    return match

# SPDX-License-Identifier: BSD-2-Clause
"""What the bench compares: no proxy, HAProxy as Tecnativa sets it up, HAProxy tuned, and sockgate-proxy.

A peer is started with the stub engine's socket and offers one Unix socket for reading and one for writing (the same,
or a second instance with a wider policy).
"""
import os
import signal
import socket
import subprocess
import time

START_SECONDS = 10

# The sections that Tecnativa's image can open with a variable each, in its order.
SECTIONS = """auth build commit configs containers distribution events exec grpc images info networks nodes _ping
plugins secrets services session swarm system tasks version volumes""".split()
OPEN = {"CONTAINERS": "1", "IMAGES": "1", "POST": "1", "EVENTS": "1", "PING": "1", "VERSION": "1"}


def process_tree(pid):
    """A process and all its descendants."""
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
        children = [int(word) for word in f.read().split()]
    return [pid] + [p for child in children for p in process_tree(child)]


def ask(path, target="/_ping"):
    """The status of one request over a Unix socket, or 0 while there is nobody to answer it."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(2)
        try:
            s.connect(path)
            s.sendall(f"GET {target} HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n".encode())
            words = s.recv(512).split(b" ", 2)
        except OSError:
            return 0
    return int(words[1]) if len(words) > 2 and words[1].isdigit() else 0


class Server:
    """One process tree that listens on a Unix socket. `log` is where its standard error goes."""

    def __init__(self, command, path, log, environment=None):
        self.path = path
        self.log = log
        with open(log, "ab") as errors:
            # A group of its own: whatever the leader leaves behind can be ended.
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                            stderr=errors, start_new_session=True,
                                            env={**os.environ, **(environment or {})})
        deadline = time.monotonic() + START_SECONDS
        while ask(path) != 200:
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                with open(log, encoding="utf-8", errors="replace") as f:
                    raise RuntimeError(f"{command[0]} does not serve {path}:\n{f.read()[-2000:]}")
            time.sleep(0.01)

    def pids(self):
        return process_tree(self.process.pid)

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            pass
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()


class Peer:
    """Base: `commands(role)` says how to start it for "read" or "write", `path(role)` where it then listens."""
    name = ""
    separate_write = False

    def __init__(self, folder, engine):
        self.folder = folder
        self.engine = engine
        self.servers = {}

    def path(self, role):
        return os.path.join(self.folder, f"{self.name}-{role if self.separate_write else 'all'}.sock")

    def command(self, role):
        raise NotImplementedError

    def environment(self):
        return {}

    def start(self):
        self.servers["read"] = self.launch("read")
        self.servers["write"] = self.launch("write") if self.separate_write else self.servers["read"]

    def launch(self, role):
        return Server(self.command(role), self.path(role), os.path.join(self.folder, f"{self.name}.log"),
                      self.environment())

    def stop(self):
        for server in set(self.servers.values()):
            server.stop()
        self.servers = {}

    def pids(self, role):
        return self.servers[role].pids()


class Direct(Peer):
    """No proxy: the stub engine itself, whose CPU time is reported in place of a proxy's."""
    name = "direct"

    def __init__(self, folder, engine, server):
        super().__init__(folder, engine)
        self.servers = {"read": server, "write": server}

    def path(self, role):
        return self.engine

    def start(self):
        pass

    def stop(self):
        pass


class HAProxy(Peer):
    """The rules are the same in both set-ups: one regular expression a section, switched by the environment."""
    program = "/usr/sbin/haproxy"

    def settings(self):
        """The lines of `global` and `defaults`."""
        raise NotImplementedError

    def options(self):
        return []

    def environment(self):
        return {section.upper().lstrip("_"): "0" for section in SECTIONS} | OPEN

    def command(self, role):
        path = os.path.join(self.folder, f"{self.name}.cfg")
        with open(path, "w", encoding="ascii") as f:
            f.write(self.configuration(self.path(role)))
        return [self.program, "-f", path] + self.options()

    def configuration(self, listen):
        prefix = "path,url_dec -m reg -i ^(/v[0-9.]+)?"
        lines = self.settings() + ["frontend clients", f"    bind unix@{listen}",
                                   "    http-request deny unless METH_GET || { env(POST) -m bool }"]
        for verb in ("start", "stop", "(restart|kill)"):
            lines.append(f"    http-request allow if {{ {prefix}/containers/[a-zA-Z0-9_.-]+/{verb} }} "
                         f"{{ env(ALLOW_{verb.strip('()').split('|')[0].upper()}) -m bool }}")
        for section in SECTIONS:
            lines.append(f"    http-request allow if {{ {prefix}/{section} }} "
                         f"{{ env({section.upper().lstrip('_')}) -m bool }}")
        lines += ["    http-request deny", f"    use_backend events if {{ {prefix}/events }}",
                  "    default_backend engine",
                  "backend engine", f"    server engine unix@{self.engine}",
                  "backend events", f"    server engine unix@{self.engine}", "    timeout server 0"]
        return "\n".join(lines) + "\n"


TIMEOUTS = ["    timeout http-request 10s", "    timeout queue 1m", "    timeout connect 10s",
            "    timeout client 10m", "    timeout server 10m", "    timeout http-keep-alive 10s"]


class HAProxyShipped(HAProxy):
    """As Tecnativa's image runs it: a master, HTTP log, a new connection to the engine for every request."""
    name = "haproxy-shipped"

    def options(self):
        return ["-W", "-db"]

    def settings(self):
        return ["global", "    log stdout format raw daemon info", "    maxconn 4000",
                "defaults", "    mode http", "    log global", "    option httplog", "    option dontlognull",
                "    option http-server-close", "    option redispatch", "    retries 3", "    maxconn 3000"
                ] + TIMEOUTS


class HAProxyTuned(HAProxy):
    """As fast as it goes with the same rules: one thread, no log, connections to the engine reused, splice."""
    name = "haproxy-tuned"

    def options(self):
        return ["-db"]

    def settings(self):
        return ["global", "    nbthread 1", "    maxconn 4000", "    tune.pipesize 1048576",
                "defaults", "    mode http", "    http-reuse always", "    option splice-auto", "    maxconn 4000"
                ] + TIMEOUTS


class Sockgate(Peer):
    """Policy readonly, audit on; writes go to a second instance whose policy inspects the bodies of creates."""
    name = "sockgate"
    separate_write = True

    def __init__(self, folder, engine, build, here):
        super().__init__(folder, engine)
        self.program = os.path.join(build, "sockgate-proxy")
        self.write_policy = os.path.join(here, "write.yaml")
        self.policies = os.path.join(here, "..", "..", "policies")

    def audit(self, role):
        return os.path.join(self.folder, f"audit-{role}.jsonl")

    def command(self, role):
        return [self.program, "--engine", f"unix:{self.engine}", "--listen", f"unix:{self.path(role)}",
                "--policy", "readonly" if role == "read" else self.write_policy, "--audit", self.audit(role)]

    def environment(self):
        return {"SOCKGATE_POLICY_DIR": self.policies}

    def trim(self):
        """Drops the audit trail so far: at a hundred thousand records a second it would fill the disk."""
        for role in ("read", "write"):
            if os.path.exists(self.audit(role)):
                os.truncate(self.audit(role), 0)

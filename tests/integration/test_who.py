# SPDX-License-Identifier: BSD-2-Clause
"""sockgate who, on real engines, real containers and real connections."""
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile

import pytest

from lab import wire
from lab.child import end_with_parent

GROUP = 54321  # of nobody in particular
SOCKGATE = os.path.join(os.environ["BUILD"], "sockgate")
# Stands in for sockgated: answers one status to everyone who asks while a command runs, in a /run of its own.
DAEMON = """
import os, signal, socket, subprocess, sys
os.makedirs("/run/sockgate")
listener = socket.socket(socket.AF_UNIX)
listener.bind("/run/sockgate/control.sock")
listener.listen()
server = os.fork()
while server == 0:
    client = listener.accept()[0]
    client.recv(4096)
    client.sendall(sys.argv[1].encode() + b"\\n")
    client.close()
try:
    sys.exit(subprocess.run(sys.argv[2:]).returncode)
finally:
    os.kill(server, signal.SIGKILL)
"""


class Who:
    def __init__(self, done):
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr
        self.report = json.loads(done.stdout) if done.stdout.startswith("{") else None

    def findings(self, **wanted):
        return [f for f in self.report["findings"] if all(f[k] == v for k, v in wanted.items())]

    def one(self, **wanted):
        found = self.findings(**wanted)
        assert len(found) == 1, (wanted, self.report)
        return found[0]


def run(*argv):
    return Who(subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=30))


def who(*options):
    return run(SOCKGATE, "who", "--json", *options)


def status(*engines, state="enforcing", proxy=0, observe=False, missing=()):
    """What sockgated would say."""
    return json.dumps({"version": "0", "gate": {"state": state, "observe": observe, "missing": list(missing)},
                       "proxy": {"state": "serving", "pid": proxy}, "engines": [{"name": "docker", "unix": e} for e in engines],
                       "policy_hash": "0" * 16})


def who_with_daemon(answer, *options):
    """Runs sockgate beside a daemon that gives this answer; nothing of it is seen outside."""
    return run("unshare", "--mount", "--propagation", "private", "--", "sh", "-c",
               'mount -t tmpfs run /run && exec "$@"', "sh", sys.executable, "-B", "-c", DAEMON, answer, SOCKGATE, "who",
               "--json", *options)


@pytest.fixture
def child():
    """Starts processes that end with the test: child("sleep", "60", group=...)."""
    running = []

    def start(*argv, **how):
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, preexec_fn=end_with_parent,
                                   **how)
        running.append(process)
        return process

    yield start
    for process in running:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture
def mounted(engine):
    """Containers with the engine's socket, or its directory, in them; removed afterwards."""
    docker = engine.docker()
    started = []

    def start(name, *options):
        started.append(docker.ok("run", "-d", "--name", name, "--network", "none", *options, "bb", "sleep",
                                 "600").strip())
        return started[-1]

    yield start
    for container in started:
        docker.run("rm", "-f", container)


@pytest.fixture
def stub_socket():
    """A socket that somebody of no importance listens on, in a directory that everybody may search."""
    folder = tempfile.mkdtemp(prefix="who-")
    os.chmod(folder, 0o755)
    path = os.path.join(folder, "engine.sock")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    os.chown(path, 0, GROUP)
    os.chmod(path, 0o660)
    yield path
    listener.close()
    shutil.rmtree(folder)


def started(process):
    """Waits until a child that was started through other programs sleeps."""
    wire.until(lambda: open(f"/proc/{process.pid}/comm", encoding="ascii").read() == "sleep\n", 5, "the start of sleep")
    return process


def test_the_engine_and_its_containers_are_told_apart(engine, mounted):
    bound = mounted("who-bound", "-v", f"{engine.socket}:/var/run/docker.sock:ro")
    above = mounted("who-above", "-v", f"{engine.folder}:/host")
    apart = mounted("who-apart")
    seen = who()
    assert seen.code == 1
    listener = seen.one(reach="listener", socket=engine.socket)
    assert (listener["verdict"], listener["comm"], listener["uid"]) == ("engine", "dockerd", 0)
    mount = seen.one(reach="mount", socket=engine.socket, container=bound)
    assert mount["verdict"] == "open" and mount["comm"] == "sleep" and mount["name"] == "who-bound"
    assert mount["detail"] == "at /var/run/docker.sock, read-only, which does not matter"
    assert mount["pid"] == int(engine.docker().ok("inspect", "-f", "{{.State.Pid}}", bound))
    mount = seen.one(reach="mount", socket=engine.socket, container=above)
    assert (mount["verdict"], mount["detail"]) == ("open", "at /host/docker.sock")
    assert seen.findings(container=apart) == []
    # dockerd's connection to its own containerd, which listens as well.
    assert all(f["verdict"] == "engine" for f in seen.findings(reach="connection", comm="dockerd"))
    below = {f["socket"] for f in seen.findings(reach="listener", comm="containerd") if engine.folder in f["socket"]}
    assert below & {f["socket"] for f in seen.findings(reach="connection", comm="dockerd")}


def test_a_socket_that_is_covered_or_gone_is_no_mount(engine, mounted):
    covered = mounted("who-covered", "-v", f"{engine.folder}:/host")
    assert who().one(container=covered, socket=engine.socket)["reach"] == "mount"
    pid = engine.docker().ok("inspect", "-f", "{{.State.Pid}}", covered).strip()
    subprocess.run(["nsenter", "--target", pid, "--mount", "mount", "-t", "tmpfs", "over", "/host"], check=True)
    plain = mounted("who-plain", "-v", "/etc/hostname:/x")
    seen = who()
    assert seen.findings(container=covered) == [] and seen.findings(container=plain) == []


def test_a_connection_is_seen_from_any_network(engine, mounted, child):
    program = (f"import socket, time; s = socket.socket(socket.AF_UNIX); s.connect({engine.socket!r}); "
               "print(flush=True); time.sleep(60)")
    near = child(sys.executable, "-c", program)
    far = child("unshare", "--net", sys.executable, "-c", program)
    for process in (near, far):
        process.stdout.readline()
    seen = who()
    for process in (near, far):
        finding = seen.one(reach="connection", pid=process.pid)
        assert (finding["verdict"], finding["socket"], finding["count"]) == ("open", engine.socket, 1)
    # A gate judges connecting: those that are connected stay so, unless they are the proxy's.
    gated = who_with_daemon(status(engine.socket, proxy=far.pid))
    assert gated.code == 1
    assert gated.one(reach="connection", pid=near.pid)["verdict"] == "open"
    assert gated.one(reach="connection", pid=far.pid)["verdict"] == "proxy"


def test_group_owner_and_mode_are_told_apart(stub_socket, child):
    member = started(child("setpriv", "--reuid=65000", "--regid=65000", f"--groups={GROUP}", "sleep", "60"))
    second = started(child("setpriv", "--reuid=65000", "--regid=65000", f"--groups={GROUP}", "sleep", "60"))
    other = started(child("setpriv", "--reuid=65001", "--regid=65001", "--clear-groups", "sleep", "60"))
    seen = who("--engine", stub_socket)
    group = seen.one(reach="group", socket=stub_socket)
    assert (group["verdict"], group["uid"], group["count"], group["pid"]) == ("open", 65000, 2, member.pid)
    assert not seen.findings(pid=other.pid) and not seen.findings(reach="mode", socket=stub_socket)
    every = who("--all", "--engine", stub_socket)
    assert {f["pid"] for f in every.findings(reach="group", socket=stub_socket)} == {member.pid, second.pid}
    os.chown(stub_socket, 65001, GROUP)
    assert who("--engine", stub_socket).one(reach="owner", socket=stub_socket)["pid"] == other.pid
    os.chmod(stub_socket, 0o666)
    assert who("--engine", stub_socket).one(reach="mode", socket=stub_socket)["verdict"] == "open"
    # A directory that they may not search keeps them out.
    os.chmod(os.path.dirname(stub_socket), 0o700)
    closed = who("--engine", stub_socket)
    assert not [f for f in closed.report["findings"] if f["socket"] == stub_socket and f["verdict"] == "open"]
    assert closed.one(reach="root")["verdict"] == "open"


def test_users_of_the_group_are_found_without_a_process(stub_socket):
    os.chown(stub_socket, 0, 65534)  # nogroup: the group of nobody by /etc/passwd
    seen = who("--engine", stub_socket)
    members = seen.findings(reach="member", socket=stub_socket)
    assert 65534 in {f["uid"] for f in members} and 0 not in {f["uid"] for f in members}
    assert {f["verdict"] for f in members} == {"open"}


def test_a_gate_that_enforces_shuts_what_it_guards(stub_socket, child):
    member = started(child("setpriv", "--reuid=65000", "--regid=65000", f"--groups={GROUP}", "sleep", "60"))

    def verdict(**how):
        return who_with_daemon(status(stub_socket, **how)).one(reach="group", socket=stub_socket)["verdict"]

    assert verdict() == "shut"
    assert verdict(proxy=member.pid) == "proxy"
    assert verdict(state="degraded") == "open"
    assert verdict(state="off") == "open"
    assert verdict(observe=True) == "open"
    assert verdict(missing=[stub_socket]) == "open"
    # Another socket that the gate knows nothing of.
    assert who_with_daemon(status("/nonexistent"), "--engine", stub_socket).one(
        reach="group", socket=stub_socket)["verdict"] == "open"


def test_the_exit_status_is_that_of_the_worst(engine, mounted):
    mounted("who-worst", "-v", f"{engine.socket}:/var/run/docker.sock")
    assert who_with_daemon(status(engine.socket)).code == 1  # containerd's is not guarded
    names = [s["name"] for s in who().report["sockets"] if s["name"].startswith("/")]
    seen = who_with_daemon(status(*names))
    assert seen.one(reach="mount", socket=engine.socket)["verdict"] == "shut"
    assert seen.one(reach="root")["verdict"] == "shut"
    # What is left is what no gate takes away: other people's connections and TCP, if there are any.
    left = seen.findings(verdict="open")
    assert {f["reach"] for f in left} <= {"connection", "tcp"}
    assert seen.code == (1 if left else 3 if seen.report["unseen"] else 0)


def test_sockets_of_the_configuration_count(stub_socket, tmp_path):
    config = tmp_path / "sockgate.yaml"
    config.write_text("version: 1\nengines:\n  - name: docker\n    socket: /nonexistent\n"
                      f"    also: [{stub_socket}]\nlisteners:\n  - unix: /run/x.sock\n    policy: readonly\n")
    os.environ.setdefault("SOCKGATE_POLICY_DIR", os.path.join(os.path.dirname(__file__), "..", "..", "policies"))
    assert stub_socket in {s["name"] for s in who("--config", str(config)).report["sockets"]}
    assert stub_socket not in {s["name"] for s in who().report["sockets"]}
    config.write_text("version: 1\nengines: 7\n")
    assert who("--config", str(config)).code == 2


def test_an_engine_on_tcp_is_open_to_all(engine, child):
    folder = tempfile.mkdtemp(prefix="who-")
    env = {**os.environ, "PATH": os.path.join(engine.folder, "bin") + ":" + os.environ["PATH"]}
    daemon = child("unshare", "--net", "--mount", "--", "sh", "-c", 'ip link set lo up && exec "$@" 2>"$0/log"', folder,
                   "dockerd", "--host", f"unix://{folder}/docker.sock", "--host", "tcp://127.0.0.1:2375", "--host",
                   "tcp://0.0.0.0:2376", "--tls=false", "--data-root", f"{folder}/data", "--exec-root",
                   f"{folder}/exec", "--pidfile", f"{folder}/pid", "--bridge=none", "--iptables=false",
                   "--ip6tables=false", env=env)
    try:
        def listens():
            names = {s["name"] for s in who().report["sockets"]}
            return {n for n in names if n.startswith("tcp:") and n.endswith((":2375", ":2376"))}

        names = wire.until(lambda: len(listens()) == 2 and listens(), 40, "listening on TCP")
        seen = who()
        for name in names:
            finding = seen.one(reach="tcp", socket=name)
            assert finding["verdict"] == "open" and seen.one(reach="listener", socket=name)["comm"] == "dockerd"
            where = "every process in its network namespace" if ":2375" in name else "every host that reaches this one"
            assert finding["detail"].startswith(where)
    finally:
        daemon.terminate()
        daemon.wait(30)
        shutil.rmtree(folder)


def test_who_sees_little_says_so(engine, stub_socket):
    seen = run("setpriv", "--reuid=65000", "--regid=65000", "--clear-groups", SOCKGATE, "who", "--json")
    assert seen.code == 3 and seen.report["open"] == 0
    assert any("CAP_SYS_PTRACE" in text for text in seen.report["unseen"])
    # What is certain is certain, whoever looks.
    os.chmod(stub_socket, 0o666)
    seen = run("setpriv", "--reuid=65000", "--regid=65000", "--clear-groups", SOCKGATE, "who", "--json", "--engine",
               stub_socket)
    assert seen.code == 1 and seen.one(reach="mode")["verdict"] == "open" and seen.report["unseen"]


def test_in_a_container_only_a_container_is_seen(engine, mounted):
    container = mounted("who-inside", "-v", f"{engine.socket}:/run/docker.sock")
    pid = engine.docker().ok("inspect", "-f", "{{.State.Pid}}", container).strip()
    # The program of this host, in the namespaces of the container: it is not in the image.
    seen = run("nsenter", "--target", pid, "--pid", "--net", "--", "unshare", "--mount", "--propagation", "private",
               "--", "sh", "-c", 'mount -t proc proc /proc && mount --bind "$1" /run && exec "$2" who --json', "sh",
               engine.folder, SOCKGATE)
    assert seen.code == 1, seen.err
    assert any("pid namespace" in text for text in seen.report["unseen"])
    assert any("/run/docker.sock" in text for text in seen.report["unseen"])
    mount = seen.one(reach="mount", socket="/run/docker.sock")
    assert (mount["verdict"], mount["container"], mount["comm"]) == ("open", container, "sleep")


def test_usage():
    assert who("--nonsense").code == 2
    assert who("argument").code == 2
    assert who("--engine", "relative/path").code == 2
    assert who("--help").code == 0
    gone = who("--engine", "/nonexistent/engine.sock")
    assert any("/nonexistent/engine.sock: nobody listens there" == text for text in gone.report["unseen"])


def test_the_table_is_for_people(engine, mounted):
    mounted("who-table", "-v", f"{engine.socket}:/var/run/docker.sock")
    seen = run(SOCKGATE, "who")
    assert seen.code == 1
    lines = seen.out.splitlines()
    assert lines[0].startswith("engine sockets: ") and lines[0].endswith("gate: none")
    assert lines[2].split() == ["VERDICT", "REACH", "SOCKET", "WHO", "USER", "WHERE", "HOW"]
    assert any("who-table (" in line and line.startswith("open ") for line in lines)
    assert sum(line.split()[:2] == ["open", "root"] for line in lines if line) == 1

# SPDX-License-Identifier: BSD-2-Clause
"""What `readonly` and `worker` let through and what they refuse, as a user of the docker command line sees it."""
import subprocess

import pytest
import stub_engine

from lab import wire


@pytest.fixture(scope="module")
def behind(engine, folder):
    """Starts one proxy for each policy asked for, and gives the command line for it."""
    from lab.proxy import Proxy  # pylint: disable=import-outside-toplevel
    running = {}

    def docker(policy):
        if policy not in running:
            running[policy] = Proxy(folder, engine.socket, policy=policy)
        return engine.docker(running[policy].socket)
    engine.docker().ok("run", "-d", "--name", "web", "bb", "sh", "-c", "echo started; sleep 1000")
    yield docker
    for proxy in running.values():
        proxy.stop()
    engine.clean()


def refused(done):
    """The refusal is ours, and the docker command line prints it as it prints what an engine says."""
    assert done.code != 0, done
    assert "Error response from daemon: " in done.err, done
    assert " policy readonly" in done.err or " policy worker" in done.err, done
    return done.err


LOOKS = [("ps",), ("ps", "-a"), ("inspect", "web"), ("logs", "web"), ("top", "web"), ("diff", "web"), ("images",),
         ("history", "bb"), ("version",), ("info",), ("stats", "--no-stream", "web"), ("network", "ls"),
         ("volume", "ls"), ("system", "df"), ("events", "--since", "1", "--until", "2")]


@pytest.mark.parametrize("command", LOOKS, ids=" ".join)
@pytest.mark.parametrize("policy", ["readonly", "worker"])
def test_looking_is_allowed(behind, policy, command):
    done = behind(policy).run(*command)
    assert done.code == 0, done


@pytest.mark.parametrize("command", [
    ("run", "--rm", "bb", "true"), ("create", "bb"), ("exec", "web", "true"), ("rm", "-f", "web"), ("stop", "web"),
    ("kill", "web"), ("restart", "web"), ("rename", "web", "site"), ("update", "--memory", "64m", "web"),
    ("commit", "web", "new"), ("cp", "web:/etc/passwd", "-"), ("export", "web"), ("save", "bb"), ("tag", "bb", "x"),
    ("rmi", "bb"), ("pull", "bb"), ("volume", "create", "v"), ("network", "create", "n"), ("volume", "prune", "-f"),
    ("swarm", "init"), ("container", "prune", "-f"), ("search", "bb")], ids=" ".join)
def test_readonly_refuses_to_change_anything_or_to_hand_out_files(behind, engine, command):
    before = engine.docker().ok("ps", "-a", "--no-trunc", "--format", "{{.ID}} {{.Names}} {{.State}}")
    refused(behind("readonly").run(*command))
    assert engine.docker().ok("ps", "-a", "--no-trunc", "--format", "{{.ID}} {{.Names}} {{.State}}") == before


def test_readonly_refuses_to_build_and_to_copy_files_in(behind, tmp_path):
    (tmp_path / "Dockerfile").write_text("FROM bb\n")
    refused(behind("readonly").run("build", str(tmp_path)))
    assert behind("readonly").run("cp", str(tmp_path / "Dockerfile"), "web:/tmp/").code != 0  # HEAD has no words
    assert behind("readonly").run("attach", "web").err == "unable to upgrade to tcp, received 403\n"
    assert behind("readonly").run("build", str(tmp_path), env={"DOCKER_BUILDKIT": "1"}.items()).code != 0


def test_readonly_follows_events_and_logs(behind, engine):
    with behind("readonly").background("events", "--filter", "event=create", "--format", "{{.Action}}") as events, \
            behind("readonly").background("logs", "-f", "web") as logs:
        logs.expect("started")
        subprocess.run(["sleep", "0.5"], check=True)
        engine.docker().ok("run", "--rm", "bb", "true")
        events.expect("create")


def test_worker_runs_builds_and_cleans_up(behind, tmp_path):
    (tmp_path / "Dockerfile").write_text("FROM bb\nRUN echo built > /f\n")
    docker = behind("worker")
    docker.ok("volume", "create", "data")
    docker.ok("network", "create", "backend")
    docker.ok("build", "--network", "none", "-t", "app", str(tmp_path))
    assert docker.ok("run", "--rm", "app", "cat", "/f") == "built\n"
    assert docker.run("run", "-i", "--rm", "bb", "cat", data="in and out").out == "in and out"
    docker.ok("run", "-d", "--name", "job", "-v", "data:/data", "--net", "backend", "-p", "8080:80", "--memory", "64m",
              "--restart", "no", "-e", "A=b", "--label", "l=1", "bb", "sleep", "1000")
    assert docker.run("exec", "job", "sh", "-c", "echo kept > /data/f; exit 3").code == 3
    with docker.terminal("exec", "-it", "job", "sh") as terminal:
        terminal.expect("# ")
        terminal.type("exit 4\n")
        assert terminal.end() == 4
    for command in (("restart", "-t", "0", "job"), ("stop", "-t", "0", "job"), ("rm", "-v", "job"),
                    ("network", "rm", "backend"), ("volume", "rm", "data"), ("rmi", "app")):
        docker.ok(*command)


@pytest.mark.parametrize("options", [
    ("--privileged",), ("-v", "/:/h"), ("-v", "/etc:/h"), ("-v", "/etc:/h:ro"), ("--mount", "type=bind,src=/,dst=/h"),
    ("-v", "/var/run/docker.sock:/s"), ("--pid", "host"), ("--net", "host"), ("--ipc", "host"), ("--uts", "host"),
    ("--cap-add", "SYS_ADMIN"), ("--cap-add", "ALL"), ("--security-opt", "seccomp=unconfined"),
    ("--security-opt", "apparmor=unconfined"), ("--device", "/dev/null"), ("--pid", "container:web"),
    ("--net", "container:web"), ("--volumes-from", "web"), ("--cgroup-parent", "/x"), ("--runtime", "other"),
    ("--sysctl", "kernel.msgmax=1"), ("--device-cgroup-rule", "c 1:3 rwm"), ("--userns", "host"),
    ("--mount", "type=volume,dst=/h,volume-driver=local,volume-opt=type=none,volume-opt=o=bind,volume-opt=device=/"),
    ("-p", "80:80"), ("--group-add", "0"), ("--log-driver", "syslog")], ids=" ".join)
def test_worker_refuses_what_reaches_for_the_host(behind, engine, options):
    before = engine.docker().ok("ps", "-aq")
    refused(behind("worker").run("run", "--rm", *options, "bb", "true"))
    assert engine.docker().ok("ps", "-aq") == before


@pytest.mark.parametrize("command", [
    ("exec", "--privileged", "web", "true"), ("swarm", "init"), ("swarm", "join", "--token", "x", "127.0.0.1"),
    ("service", "create", "bb"), ("secret", "ls"), ("config", "ls"),
    ("plugin", "install", "--grant-all-permissions", "x"), ("cp", "web:/etc/passwd", "-"), ("export", "web"), ("save", "bb"), ("push", "bb"),
    ("volume", "create", "-o", "type=none", "-o", "o=bind", "-o", "device=/", "v"),
    ("volume", "create", "--driver", "../../tmp/evil", "v"),
    ("network", "create", "-d", "macvlan", "-o", "parent=eth0", "n")],
    ids=" ".join)
def test_worker_refuses_other_ways_to_the_host(behind, command):
    refused(behind("worker").run(*command))


def test_worker_refuses_a_build_on_the_hosts_network(behind, tmp_path):
    (tmp_path / "Dockerfile").write_text("FROM bb\n")
    refused(behind("worker").run("build", "--network", "host", str(tmp_path)))


@pytest.mark.parametrize("target, body", [
    ("/containers/create", b'{"Image":"bb","HostConfig":{"Privileged":true}}'),
    ("/containers/create", b'{"Image":"bb","Privileged":true}'),
    ("/containers/create", b'{"Image":"bb","hostconfig":{"BINDS":["/:/h"]}}'),
    ("/containers/web/exec", b'{"Cmd":["sh"],"Privileged":true}'),
    ("/swarm/init", b"{}"), ("/services/create", b"{}"), ("/plugins/pull?remote=x", b"[]"),
    ("/secrets/create", b"{}"), ("/configs/create", b"{}"), ("/session", b""), ("/grpc", b"")])
def test_nothing_of_what_worker_refuses_reaches_the_engine(stub, proxies, target, body):
    gate = proxies(stub.socket, policy="worker").socket
    response = wire.ask(gate, "POST", target, body, ("Content-Type: application/json",) if body else ())
    assert response.status in (400, 403) and response.message
    assert stub.received == b""


def test_two_policies_on_two_listeners_do_not_mix(stub, proxies):
    stub.answer = stub_engine.length(200, b"{}")
    readonly = proxies(stub.socket, policy="readonly").socket
    unrestricted = proxies(stub.socket, policy="unrestricted").socket
    assert wire.ask(unrestricted, "POST", "/v1.41/containers/web/start").status == 200
    assert wire.ask(readonly, "POST", "/v1.41/containers/web/start").status == 403

# SPDX-License-Identifier: BSD-2-Clause
"""The docker command line on everything but containers and images: the engine, volumes, networks, compose, swarm."""
import re
import time

COMPOSE = """\
name: stack
services:
  web:
    image: bb
    command: sh -c 'echo web-speaks; exec sleep 1000'
    volumes: [data:/data]
    stop_grace_period: 0s
  helper:
    image: bb
    command: sh -c 'echo helper-speaks; exec sleep 1000'
    stop_grace_period: 0s
volumes:
  data:
"""


def test_version_and_info(same):
    def scenario(docker):
        info = docker.run("info", "--format", "{{.ServerVersion}} {{.Driver}} {{.Images}} {{.DockerRootDir}}")
        return docker.run("version"), info, docker.run("system", "df", "--format", "{{.Type}} {{.TotalCount}}")
    version, info, _ = same(scenario)
    assert "Server:" in version.out and version.code == 0 and info.code == 0


def test_events_arrive_as_they_happen_and_obey_their_filter(same):
    def scenario(docker):
        watch = ("events", "--filter", "type=container", "--filter", "event=die", "--format",
                 "{{.Action}} {{.Actor.Attributes.name}} {{.Actor.Attributes.exitCode}}")
        with docker.background(*watch) as events:
            time.sleep(2)  # until the client listens
            docker.run("run", "--name", "one", "bb", "sh", "-c", "exit 11")
            first = events.expect(r"die one 11\n").group()
            docker.run("run", "--name", "two", "bb", "true")
            return first, events.expect(r".*\n").group(), events.interrupt()
    _, second, _ = same(scenario)
    assert second == "die two 0\n"


def test_events_of_the_past_end_by_themselves(same):
    def scenario(docker):
        start = str(int(time.time()) - 1)
        one = docker.ok("run", "-d", "bb", "true").strip()
        time.sleep(1)
        return docker.run("events", "--since", start, "--until", str(int(time.time())), "--filter", f"container={one}",
                          "--filter", "event=create", "--filter", "event=start", "--format", "{{.Action}}")
    assert same(scenario) == (0, "create\nstart\n", "")


def test_volumes_are_made_used_listed_and_removed(same):
    seen = same(lambda docker: (
        docker.run("volume", "create", "--label", "a=b", "store"),
        docker.run("run", "--rm", "-v", "store:/s", "bb", "sh", "-c", "echo kept > /s/f"),
        docker.run("run", "--rm", "--mount", "type=volume,src=store,dst=/s", "bb", "cat", "/s/f"),
        docker.run("volume", "ls", "--filter", "label=a"),
        docker.run("volume", "inspect", "-f", "{{.Driver}}", "store"),
        docker.run("volume", "rm", "store"), docker.run("volume", "rm", "store")))
    assert seen[2] == (0, "kept\n", "") and "store" in seen[3].out
    assert seen[5].code == 0 and seen[6].code == 1


def test_networks_connect_containers_by_name(same):
    def scenario(docker):
        seen = [docker.run("network", "create", "--subnet", "10.87.0.0/24", "net")]
        docker.ok("run", "-d", "--name", "web", "--net", "net", "bb", "sleep", "1000")
        return [*seen, docker.run("run", "--rm", "--net", "net", "bb", "sh", "-c", "ip -4 addr show eth0 | grep inet"),
                docker.run("network", "disconnect", "net", "web"), docker.run("network", "connect", "net", "web"),
                docker.run("network", "ls", "--format", "{{.Name}} {{.Driver}}"),
                docker.run("network", "rm", "net"), docker.run("rm", "-f", "web"), docker.run("network", "rm", "net")]
    seen = same(scenario)
    assert "10.87.0." in seen[1].out and "net bridge\n" in seen[4].out
    assert seen[5].code == 1 and "has active endpoints" in seen[5].err and seen[7].code == 0


def test_a_bind_mount_shows_the_hosts_folder(same, tmp_path):
    (tmp_path / "f").write_text("on the host\n")
    done = same(lambda docker: docker.run("run", "--rm", "-v", f"{tmp_path}:/h:ro", "bb", "cat", "/h/f"))
    assert done == (0, "on the host\n", "")


def test_compose_brings_a_project_up_and_down(same, tmp_path):
    (tmp_path / "compose.yaml").write_text(COMPOSE)

    def scenario(docker):
        def compose(*args):
            return docker.run("compose", "--ansi", "never", "-f", str(tmp_path / "compose.yaml"), *args)
        up = compose("up", "-d")
        assert up.code == 0, up
        return (sorted(compose("ps", "--format", "{{.Name}} {{.State}}").out.splitlines()),
                compose("exec", "-T", "web", "sh", "-c", "echo inside; exit 3"),
                sorted(re.findall(r"\w+-speaks", compose("logs").out)), compose("down", "-v").code,
                docker.run("ps", "-aq"), docker.run("volume", "ls", "-q"))
    names, inside, logs, down, containers, volumes = same(scenario)
    assert names == ["stack-helper-1 running", "stack-web-1 running"]
    assert (inside.code, inside.out) == (3, "inside\n")
    assert logs == ["helper-speaks", "web-speaks"]
    assert down == 0 and containers.out == volumes.out == ""


def test_compose_in_the_foreground_follows_its_services(same, tmp_path):
    (tmp_path / "compose.yaml").write_text(COMPOSE.replace("exec sleep 1000", "sleep 0.3"))

    def scenario(docker):
        done = docker.run("compose", "--ansi", "never", "-f", str(tmp_path / "compose.yaml"), "up")
        return done.code, sorted(re.findall(r"\w+-speaks|\w+-1 exited with code \d+", done.out + done.err))
    code, lines = same(scenario)
    assert code == 0 and "helper-speaks" in lines and "web-speaks" in lines


def test_swarm_is_started_and_left(same):
    def scenario(docker):
        seen = docker.run("swarm", "init", "--advertise-addr", "127.0.0.1").code, docker.run("node", "ls", "-q").code
        return *seen, docker.run("swarm", "leave", "--force")
    assert same(scenario) == (0, 0, (0, "Node left the swarm.\n", ""))

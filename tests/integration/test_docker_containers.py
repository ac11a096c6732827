# SPDX-License-Identifier: BSD-2-Clause
"""The docker command line on containers: through `unrestricted` everything is as without a proxy."""
import subprocess
import time

SLEEP = ("run", "-d", "--name", "web", "bb", "sleep", "1000")


def test_ps_lists_what_runs_and_what_has_ended(same):
    def scenario(docker):
        docker.ok(*SLEEP)
        docker.run("run", "--name", "gone", "bb", "false")
        return docker.run("ps"), docker.run("ps", "-a", "--no-trunc", "--filter", "name=gone")
    running, ended = same(scenario)
    assert " web\n" in running.out and "gone" not in running.out
    assert "Exited (1)" in ended.out


def test_run_keeps_streams_and_exit_status_apart(same):
    done = same(lambda docker: docker.run("run", "--rm", "bb", "sh", "-c", "echo out; echo err >&2; exit 7"))
    assert done == (7, "out\n", "err\n")


def test_run_of_a_missing_program_fails_alike(same):
    done = same(lambda docker: docker.run("run", "--rm", "bb", "no-such-program"))
    assert done.code == 127


def test_stdin_is_half_closed_and_the_answer_still_arrives(same):
    done = same(lambda docker: docker.run("run", "-i", "--rm", "bb", "cat", data="hi\n"))
    assert done == (0, "hi\n", "")
    done = same(lambda docker: docker.run("run", "-i", "--rm", "bb", "sh", "-c", "cat; sleep 0.3; echo late",
                                          data="early\n"))
    assert done == (0, "early\nlate\n", "")


def test_a_megabyte_goes_through_a_container_and_back(same):
    data = "0123456789abcde\n" * 65536
    done = same(lambda docker: docker.run("run", "-i", "--rm", "bb", "cat", data=data))
    assert done == (0, data, "")


def test_attach_sends_input_and_sees_the_end(same):
    def scenario(docker):
        docker.ok("run", "-d", "-i", "--name", "echo", "bb", "sh", "-c", "read line; echo got $line; sleep 0.3; exit 3")
        with docker.background("attach", "echo", stdin=subprocess.PIPE) as attach:
            attach.process.stdin.write(b"word\n")
            attach.process.stdin.flush()
            attach.expect("got word\n")
            return attach.process.wait(20)
    assert same(scenario) == 3


def test_a_terminal_has_its_size_and_its_exit_status(same):
    def scenario(docker):
        with docker.terminal("run", "-it", "--rm", "bb", rows=31, columns=97) as terminal:
            terminal.expect(r"# ")
            time.sleep(0.3)  # the size is set by a request of its own, after the start
            terminal.type("stty size\n")
            first = terminal.expect(r"(\d+ \d+)\r\n").group(1)
            terminal.resize(40, 120)
            terminal.process.send_signal(28)  # SIGWINCH
            time.sleep(0.3)
            terminal.type("stty size\n")
            second = terminal.expect(r"(\d+ \d+)\r\n").group(1)
            terminal.type("exit 5\n")
            return first, second, terminal.end()
    assert same(scenario) == ("31 97", "40 120", 5)


def test_ctrl_c_reaches_the_program_in_the_terminal(same):
    def scenario(docker):
        script = "trap 'echo caught; exit 9' INT; echo ready; while :; do sleep 0.1; done"
        with docker.terminal("run", "-it", "--rm", "bb", "sh", "-c", script) as terminal:
            terminal.expect("ready")
            terminal.type("\x03")
            terminal.expect("caught")
            return terminal.end()
    assert same(scenario) == 9


def test_exec_in_a_terminal_and_with_input(same):
    def scenario(docker):
        docker.ok(*SLEEP)
        with docker.terminal("exec", "-it", "web", "sh", rows=20, columns=70) as terminal:
            terminal.expect(r"# ")
            terminal.type("tty; exit 4\n")
            name = terminal.expect(r"(/dev/\S+)\r\n").group(1)
            interactive = name, terminal.end()
        return (interactive, docker.run("exec", "-i", "web", "wc", "-c", data="12345"),
                docker.run("exec", "-e", "A=b", "web", "sh", "-c", "echo $A; exit 6"),
                docker.run("exec", "-d", "web", "touch", "/detached"),
                docker.run("exec", "nothing", "true"))
    interactive, counted, plain, detached, missing = same(scenario)
    assert interactive == ("/dev/pts/0", 4)
    assert counted == (0, "5\n", "")
    assert plain == (6, "b\n", "")
    assert detached.code == 0
    assert missing.code == 1 and "No such container: nothing" in missing.err


def test_logs_follow_until_the_container_ends(same):
    def scenario(docker):
        docker.ok("run", "-d", "--name", "talk", "bb", "sh", "-c", "for i in 1 2 3; do echo $i; sleep 0.2; done")
        follow = docker.run("logs", "-f", "talk")
        return follow, docker.run("logs", "--tail", "1", "--timestamps", "talk")
    follow, tail = same(scenario)
    assert follow == (0, "1\n2\n3\n", "")
    assert tail.out.endswith(" 3\n")


def test_following_logs_come_at_once_and_end_with_the_client(same):
    def scenario(docker):
        docker.ok("run", "-d", "-i", "--name", "talk", "bb", "sh", "-c", "echo first; sleep 1000")
        with docker.background("logs", "-f", "talk") as logs:
            logs.expect("first\n")
            return logs.interrupt()
    same(scenario)


def test_wait_kill_stop_and_pause(same):
    def scenario(docker):
        docker.ok(*SLEEP)
        with docker.background("wait", "web") as wait:
            time.sleep(0.3)
            seen = [docker.run("pause", "web"), docker.run("unpause", "web"), docker.run("kill", "web")]
            seen += [wait.expect(r"(\d+)\n").group(1), wait.end()]
        seen += [docker.run("start", "web"), docker.run("restart", "-t", "0", "web"),
                 docker.run("stop", "-t", "0", "web"), docker.run("kill", "web")]
        return seen
    seen = same(scenario)
    assert seen[3:5] == ["137", 0]
    assert seen[-1].code == 1 and "is not running" in seen[-1].err


def test_top_diff_rename_update_inspect_and_port(same):
    def scenario(docker):
        docker.ok("run", "-d", "--name", "web", "bb", "sh", "-c", "echo x > /new; sleep 1000")
        time.sleep(0.2)
        return (docker.run("diff", "web"), docker.run("rename", "web", "site"),
                docker.run("update", "--memory", "64m", "--memory-swap", "64m", "site"),
                docker.run("inspect", "--format", "{{.Name}} {{.HostConfig.Memory}}", "site"),
                "sleep" in docker.ok("top", "site", "-o", "pid,comm"), docker.run("port", "site"),
                docker.run("rm", "-f", "site"))
    diff, rename, _, inspect, top, port, gone = same(scenario)
    assert "A /new" in diff.out and rename.code == 0
    assert inspect.out == "/site 67108864\n"
    assert top and port.code == 0
    assert gone == (0, "site\n", "")


def test_a_big_file_is_copied_in_and_out_unharmed(same, tmp_path):
    big = tmp_path / "big"
    big.write_bytes(bytes(range(256)) * 4096 * 50)  # 50 MiB

    def scenario(docker):
        docker.ok(*SLEEP)
        back = tmp_path / "back"
        seen = [docker.run("cp", str(big), "web:/tmp/big").code,
                docker.run("exec", "web", "sha256sum", "/tmp/big").out.split(),
                docker.run("cp", "web:/tmp/big", str(back)).code, back.read_bytes() == big.read_bytes()]
        back.unlink()
        return [*seen, docker.run("cp", "web:/tmp/none", str(back))]
    inward, _, outward, equal, missing = same(scenario)
    assert (inward, outward, equal) == (0, 0, True)
    assert missing.code == 1


def test_stats_once_and_as_a_stream(same):
    def scenario(docker):
        docker.ok(*SLEEP)
        once = docker.run("stats", "--no-stream", "--format", "{{.Name}} {{.PIDs}}", "web")
        with docker.background("stats", "--format", "{{.Name}}", "web") as stream:
            for _ in range(2):
                stream.expect("web")
        return once
    assert same(scenario) == (0, "web 1\n", "")

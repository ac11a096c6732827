# SPDX-License-Identifier: BSD-2-Clause
"""Counters and health on a listener of their own, and the service manager's watchdog."""
import os
import re
import signal
import socket
import subprocess
import time

import pytest

import stub_engine
from lab import wire
from lab.child import end_with_parent
from lab.proxy import ROOT, Proxy

SAMPLE = re.compile(r'([a-z_]+)(\{(?:[a-z]+="(?:[^"\\\n]|\\[\\"n])*",?)+\})? (\d+(?:\.\d+)?)')


def scrape(path):
    """{series: value}; every line must be one that Prometheus takes."""
    response = wire.ask(path, "GET", "/metrics")
    assert response.status == 200 and response.field("Content-Type").startswith("text/plain; version=0.0.4")
    series, types = {}, {}
    for line in response.body.decode().splitlines():
        if line.startswith("# "):
            _, what, name, rest = line.split(" ", 3)
            if what == "TYPE":
                assert name not in types
                types[name] = rest
            continue
        match = SAMPLE.fullmatch(line)
        assert match, line
        name, labels, value = match.groups()
        assert re.sub("_(bucket|sum|count)$", "", name) in types or name in types, line
        assert name + (labels or "") not in series, line
        series[name + (labels or "")] = float(value)
    return series


def requests(verdict, operation):
    return f'sockgate_requests_total{{operation="{operation}",verdict="{verdict}"}}'


@pytest.fixture
def metrics(folder):
    return os.path.join(folder, f"metrics-{time.monotonic_ns()}.sock")


@pytest.fixture
def gate(stub, proxies, metrics):
    return proxies(stub.socket, policy="readonly", options=["--metrics", f"unix:{metrics}"]).socket


def test_counts_move(gate, stub, metrics):
    before = scrape(metrics)
    assert not [name for name in before if name.startswith("sockgate_requests_total{")]
    for _ in range(3):
        assert wire.ask(gate, "GET", "/v1.41/containers/json").status == 200
    assert wire.ask(gate, "POST", "/v1.41/containers/web/start").status == 403
    assert wire.ask(gate, "GET", "/nowhere").status == 403
    assert wire.ask(gate, "GET", "/containers/../json").status == 400
    after = scrape(metrics)
    assert after[requests("allow", "containers.list")] == 3
    assert after[requests("deny", "containers.start")] == 1
    assert after[requests("deny", "none")] == 2
    assert after['sockgate_refusals_total{rule="status 400"}'] == 1
    refusals = sum(value for name, value in after.items() if name.startswith("sockgate_refusals_total{"))
    assert refusals == 3
    assert after["sockgate_request_duration_seconds_count"] == 3
    assert after['sockgate_request_duration_seconds_bucket{le="+Inf"}'] == 3
    assert after["sockgate_audit_records_total"] == 6 and after["sockgate_audit_lost_total"] == 0
    assert after['sockgate_bytes_total{direction="to_engine"}'] == len(stub.received)
    assert after['sockgate_gate_state{state="none"}'] == 1
    assert after['sockgate_engine_connections{state="busy"}'] == 0
    assert after["sockgate_open_connections"] >= 1


def test_a_request_that_takes_long_is_in_a_bucket_of_its_length(gate, stub, metrics):
    def slowly(connection, request):
        time.sleep(0.3)
        return stub_engine.length(200, b"OK")(connection, request)
    stub.answer = slowly
    assert wire.ask(gate, "GET", "/_ping").status == 200
    after = scrape(metrics)
    assert after['sockgate_request_duration_seconds_bucket{le="0.25"}'] == 0
    assert after['sockgate_request_duration_seconds_bucket{le="2.5"}'] == 1
    assert 0.29 < after["sockgate_request_duration_seconds_sum"] < 2.5


def test_streams_are_seen_while_they_last(stub, proxies, metrics):
    gate = proxies(stub.socket, options=["--metrics", f"unix:{metrics}"]).socket
    stub.answer = stub_engine.by_target(events=stub_engine.silent_stream, attach=stub_engine.echo())
    events, attached = wire.connect(gate), wire.connect(gate)
    events.sendall(b"GET /events HTTP/1.1\r\nHost: docker\r\n\r\n")
    wire.read_until(events, b"\r\n\r\n")
    attached.sendall(b"POST /containers/web/attach?stream=1&stdin=1 HTTP/1.1\r\nHost: docker\r\n"
                     b"Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n")
    wire.read_until(attached, b"\r\n\r\n")
    seen = scrape(metrics)
    assert seen['sockgate_open_streams{kind="response"}'] == 1
    assert seen['sockgate_open_streams{kind="tunnel"}'] == 1
    assert seen['sockgate_engine_connections{state="busy"}'] == 2
    events.close()
    attached.close()
    wire.until(lambda: scrape(metrics)['sockgate_engine_connections{state="busy"}'] == 0, 5, "the streams' end")
    seen = scrape(metrics)
    assert seen['sockgate_open_streams{kind="response"}'] == seen['sockgate_open_streams{kind="tunnel"}'] == 0


def test_readyz_follows_the_engine_and_healthz_does_not(gate, stub, metrics):
    assert wire.ask(metrics, "GET", "/readyz").status == 200
    assert stub.requests[-1].target == "/_ping"
    stub.stop()
    response = wire.ask(metrics, "GET", "/readyz")
    assert response.status == 503 and b"cannot be asked" in response.body
    assert wire.ask(metrics, "GET", "/healthz").status == 200
    assert wire.ask(gate, "GET", "/_ping").status == 502
    seen = scrape(metrics)
    assert seen['sockgate_engine_failures_total{kind="request"}'] == 1
    assert seen['sockgate_engine_failures_total{kind="connect"}'] >= 1
    stub.start()
    wire.until(lambda: wire.ask(metrics, "GET", "/readyz").status == 200, 5, "readiness")
    stub.answer = stub_engine.length(500, b"no")
    response = wire.ask(metrics, "GET", "/readyz")
    assert response.status == 503 and b"500" in response.body
    stub.answer = stub_engine.never
    begun = time.monotonic()
    assert wire.ask(metrics, "GET", "/readyz").status == 503
    assert 1.5 < time.monotonic() - begun < 4


def test_nothing_is_forwarded_and_there_is_nothing_else(gate, stub, metrics):
    assert wire.ask(gate, "GET", "/version").status == 200  # the engine is there
    before = len(stub.requests)
    for method, target in [("GET", "/_ping"), ("GET", "/v1.41/info"), ("GET", "/containers/json"), ("GET", "/"),
                           ("POST", "/metrics"), ("DELETE", "/healthz"), ("GET", "/metrics/../_ping"),
                           ("POST", "/v1.41/containers/create"), ("OPTIONS", "/metrics")]:
        assert wire.ask(metrics, method, target).status == 404, (method, target)
    assert len(stub.requests) == before
    for path in "/metrics", "/healthz", "/readyz":
        response = wire.ask(gate, "GET", path)  # and not on the other listener
        assert response.status == 403, path


def test_a_page_cannot_read_it(stub, proxies):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    proxies(stub.socket, options=["--metrics", f"tcp:127.0.0.1:{port}"])

    def ask(*fields, method="GET"):
        with socket.create_connection(("127.0.0.1", port), 5) as sock:
            sock.sendall("\r\n".join([f"{method} /metrics HTTP/1.1", *fields]).encode() + b"\r\n\r\n")
            return wire.read_response(sock)[0]

    plain = ask("Host: localhost")
    assert plain.status == 200
    for response in (plain, ask("Host: localhost", "Origin: https://evil.example"), ask("Host: rebound.example"),
                     ask("Host: localhost", "Origin: https://evil.example", "Access-Control-Request-Method: GET",
                         method="OPTIONS"), ask("Host: localhost", "Sec-Fetch-Site: cross-site")):
        assert not [name for name, _ in response.fields if name.lower().startswith("access-control")]
        assert response is plain or response.status == 403


def test_a_file_names_such_a_listener_and_gives_it_no_policy(folder, stub, metrics):
    gate = metrics + ".gate"
    config = os.path.join(folder, f"metrics-{time.monotonic_ns()}.yaml")
    text = f"version: 1\nengines: [{{name: stub, socket: {stub.socket}}}]\naudit: none\nlisteners:\n"
    program = [os.path.join(os.environ["BUILD"], "sockgate-proxy"), "--config", config]
    env = {**os.environ, "SOCKGATE_POLICY_DIR": os.path.join(ROOT, "policies")}
    with open(config, "w", encoding="utf-8") as file:
        file.write(text + f"  - {{unix: {metrics}, metrics: true, policy: readonly}}\n")
    done = subprocess.run(program, env=env, capture_output=True, timeout=10, check=False)
    assert done.returncode == 2 and b"policy goes not with metrics: true" in done.stderr
    with open(config, "w", encoding="utf-8") as file:
        file.write(text + f"  - {{unix: {metrics}, metrics: true}}\n  - {{unix: {gate}, policy: readonly}}\n")
    with subprocess.Popen(program, env=env, stderr=subprocess.DEVNULL, preexec_fn=end_with_parent) as running:
        try:
            wire.until(lambda: os.path.exists(metrics) and os.path.exists(gate), 5, "both sockets")
            assert wire.ask(gate, "GET", "/_ping").status == 200
            assert scrape(metrics)[requests("allow", "system.ping")] == 1
            assert wire.ask(metrics, "GET", "/_ping").status == 404
        finally:
            running.terminate()


class Manager:
    """What a service manager is to a service: a datagram socket."""

    def __init__(self, folder):
        self.path = os.path.join(folder, f"notify-{time.monotonic_ns()}.sock")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        os.chmod(self.path, 0o666)

    def hear(self, timeout):
        self.socket.settimeout(timeout)
        try:
            return self.socket.recv(4096).decode()
        except TimeoutError:
            return None

    def drain(self):
        while self.hear(0.01):
            pass


def worker_of(proxy):
    with open(f"/proc/{proxy.process.pid}/task/{proxy.process.pid}/children", encoding="ascii") as file:
        return int(file.read().split()[0])


def test_the_watchdog_is_told_while_the_worker_answers(folder, stub, proxies):
    manager = Manager(folder)
    proxy = proxies(stub.socket, env={"NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "400000"})
    assert manager.hear(5) == "READY=1"
    assert [manager.hear(1) for _ in range(3)] == ["WATCHDOG=1"] * 3
    worker = worker_of(proxy)
    os.kill(worker, signal.SIGSTOP)  # it hangs: the proxy's own loop turns, and says nothing
    try:
        manager.drain()
        assert manager.hear(1) is None
    finally:
        os.kill(worker, signal.SIGCONT)
    assert manager.hear(1) == "WATCHDOG=1"


@pytest.mark.parametrize("env", [{}, {"WATCHDOG_USEC": "400000", "WATCHDOG_PID": "1"}, {"WATCHDOG_USEC": "4e5"}])
def test_a_watchdog_that_is_somebody_elses_is_left_alone(folder, stub, env):
    manager = Manager(folder)
    proxy = Proxy(folder, stub.socket, env={"NOTIFY_SOCKET": manager.path, **env})
    try:
        assert manager.hear(5) == "READY=1"
        assert manager.hear(0.7) is None
    finally:
        proxy.stop()

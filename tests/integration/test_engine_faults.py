# SPDX-License-Identifier: BSD-2-Clause
"""An engine that is away, comes back, stalls, or answers nonsense."""
import os
import threading
import time

import pytest
import stub_engine

from lab import wire
from lab.engine import Engine, suites


@pytest.fixture
def gate(stub, proxies):
    return proxies(stub.socket).socket


def test_an_absent_engine_is_a_502_in_dockers_shape_and_its_return_needs_no_restart(gate, stub):
    assert wire.ask(gate, "GET", "/_ping").status == 200
    stub.stop()
    response = wire.ask(gate, "GET", "/_ping")
    assert response.status == 502 and response.message
    response = wire.ask(gate, "POST", "/v1.41/containers/web/start")
    assert response.status == 502
    stub.start()
    wire.until(lambda: wire.ask(gate, "GET", "/_ping").status == 200, 5, "the engine's return")


def test_a_proxy_may_be_started_before_its_engine(stub, proxies):
    stub.stop()
    gate = proxies(stub.socket).socket
    assert wire.ask(gate, "GET", "/_ping").status == 502
    stub.start()
    wire.until(lambda: wire.ask(gate, "GET", "/_ping").status == 200, 5, "the engine's arrival")


def test_connections_that_died_while_idle_cause_no_502(gate, stub):
    client = wire.Client(gate)
    for _ in range(20):
        assert client.json("GET", "/v1.41/info") is None
        stub.drop_connections()  # like an engine's idle timeout, between two requests of one client
    client.close()
    assert len(stub.requests) == 20


def test_a_request_that_may_not_be_repeated_is_sent_once(gate, stub):
    """The engine took a POST and died. Whether it acted is unknown: the client is told, and nothing is sent again."""
    assert wire.ask(gate, "GET", "/_ping").status == 200
    stub.answer = stub_engine.reset()
    response = wire.ask(gate, "POST", "/v1.41/containers/web/start")
    assert response.status == 502
    assert [r.target for r in stub.requests].count("/v1.41/containers/web/start") == 1


def test_keep_alive_clients_survive_an_engine_restart(gate, stub):
    """Eight clients ask without pause; around a restart an answer may be a 502, afterwards none, and nobody hangs."""
    stop, statuses = threading.Event(), []

    def client():
        mine = wire.Client(gate, timeout=10)
        while not stop.is_set():
            mine.request("GET", "/v1.41/info")
            response = mine.getresponse()
            response.read()
            statuses.append((time.monotonic(), response.status))
            time.sleep(0.01)
        mine.close()
    clients = [threading.Thread(target=client) for _ in range(8)]
    for thread in clients:
        thread.start()
    time.sleep(0.3)
    stub.stop()
    stub.start()
    back = time.monotonic() + 0.2
    time.sleep(0.8)
    stop.set()
    for thread in clients:
        thread.join(10)
        assert not thread.is_alive()
    assert {status for _, status in statuses} <= {200, 502}
    assert [status for at, status in statuses if at > back and status != 200] == []
    assert len(statuses) > 50


@pytest.mark.parametrize("data", [
    b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\nContent-Length: 0\n\n", b"HTTP/1.1 200 OK\r\nX : y\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70000 + b"\r\n\r\n", b"HTTP/1.1 99 Low\r\n\r\n", b"\0" * 100],
    ids=["nothing", "nonsense", "two lengths", "length and chunks", "bare line feeds", "space before colon", "huge",
         "status 99", "zeros"])
def test_an_answer_that_is_not_http_is_a_502(gate, stub, data):
    stub.answer = stub_engine.raw(data)
    response = wire.ask(gate, "GET", "/v1.41/info")
    assert response.status == 502 and response.message
    stub.answer = stub_engine.length(200, b"fine")
    assert wire.ask(gate, "GET", "/v1.41/info").body == b"fine"


def test_what_an_engine_says_unasked_is_given_to_nobody(gate, stub):
    """A response nobody waited for would be the next client's answer."""
    stub.answer = stub_engine.raw(stub_engine.head(200, "Content-Length: 2") + b"OK" +
                                  stub_engine.head(200, "Content-Length: 6") + b"poison", goes_on=True)
    assert wire.ask(gate, "GET", "/_ping").body == b"OK"
    stub.answer = stub_engine.length(200, b"clean")
    for _ in range(5):
        assert wire.ask(gate, "GET", "/_ping").body == b"clean"


def test_a_stalled_engine_holds_up_nobody_else(gate, stub):
    stub.answer = stub_engine.by_target(info=stub_engine.never, ping=stub_engine.length(200, b"OK"))
    with wire.connect(gate) as waiting:
        waiting.sendall(b"GET /v1.41/info HTTP/1.1\r\nHost: d\r\n\r\n")
        stub_engine.wait_for_request(stub)
        for _ in range(20):
            assert wire.ask(gate, "GET", "/_ping", timeout=2).status == 200


def test_an_answer_may_come_before_the_body_is_all_there(gate, stub):
    """The engine refuses a big upload early; the client gets to read why."""
    stub.streams_body = True

    def answer(connection, request):
        stub_engine.length(413, b'{"message":"too much"}', "Content-Type: application/json", "Connection: close")(
            connection, request)
        return False
    stub.answer = answer
    with wire.connect(gate) as sock:
        sock.sendall(b"POST /v1.41/images/load HTTP/1.1\r\nHost: d\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 1000)
        assert wire.read_response(sock)[0].message == "too much"


def test_the_proxy_stops_on_sigterm_and_takes_its_socket_along_or_leaves_it_reusable(stub, proxies):
    first = proxies(stub.socket)
    assert first.stop() == 0
    again = proxies(stub.socket, listen=f"unix:{first.socket}")
    assert wire.ask(first.socket, "GET", "/_ping").status == 200
    assert again.process.poll() is None


def test_a_real_engine_is_restarted_under_its_clients(folder, proxies):
    engine = Engine(suites()[0], os.path.join(folder, "restart"), os.environ["SOCKGATE_TEST_IMAGE"])
    engine.start()
    try:
        gate = proxies(engine.socket).socket
        client = wire.Client(gate)
        assert client.json("GET", "/info")["Containers"] == 0
        with wire.connect(gate) as events:
            events.sendall(b"GET /events HTTP/1.1\r\nHost: d\r\n\r\n")
            wire.read_until(events, b"\r\n\r\n")
            engine.stop()
            wire.read_all(events)  # ends, rather than hanging for ever
        assert wire.ask(gate, "GET", "/_ping").status == 502
        engine.start()
        wire.until(lambda: wire.ask(gate, "GET", "/_ping").status == 200, 5, "the engine's return")
        client.close()
        assert client.json("GET", "/info")["Containers"] == 0
    finally:
        engine.stop()

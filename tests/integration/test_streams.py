# SPDX-License-Identifier: BSD-2-Clause
"""Streams: nothing is cut, held back or lost, either end may finish first, and a client that goes takes its along."""
import hashlib
import socket
import threading
import time

import pytest
import stub_engine

from lab import wire

ATTACH = b"POST /v1.41/containers/web/attach?stream=1&stdin=1&stdout=1 HTTP/1.1\r\nHost: d\r\n"
UPGRADE = b"Connection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 0\r\n\r\n"
MIB = 1 << 20


@pytest.fixture
def gate(stub, proxies):
    return proxies(stub.socket).socket


def pattern(size):
    return hashlib.sha256(b"seed").digest() * (size // 32)


def open_tunnel(gate, fields=UPGRADE, early=b""):
    sock = wire.connect(gate, timeout=20)
    sock.sendall(ATTACH + fields + early)
    return sock


def test_what_is_sent_before_the_upgrade_is_not_lost(gate, stub):
    stub.answer = stub_engine.echo()
    with open_tunnel(gate, early=b"early data") as sock:
        response, rest = wire.read_response(sock)
        assert response.status == 101 and response.field("Upgrade") == "tcp"
        sock.sendall(b", later data")
        sock.shutdown(socket.SHUT_WR)
        assert rest + wire.read_all(sock) == b"early data, later data"


def test_the_old_hijack_without_upgrade_is_a_stream_too(gate, stub):
    stub.answer = stub_engine.echo(status=200)
    with open_tunnel(gate, fields=b"Content-Length: 0\r\n\r\n") as sock:
        head = wire.read_until(sock, b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 ")
        sock.sendall(b"through and back")
        got = head.split(b"\r\n\r\n", 1)[1] + wire.read_until(sock, b"back")
        assert got.endswith(b"through and back")
        sock.shutdown(socket.SHUT_WR)
        assert wire.read_all(sock) == b""


def test_the_client_may_finish_first(gate, stub):
    def answer(connection, _):
        connection.send(stub_engine.head(101, "Connection: Upgrade", "Upgrade: tcp"))
        while connection.recv():
            pass
        time.sleep(0.2)
        connection.send(b"after the end of input")
        return False
    stub.answer = answer
    with open_tunnel(gate) as sock:
        wire.read_until(sock, b"\r\n\r\n")
        sock.sendall(b"input")
        sock.shutdown(socket.SHUT_WR)
        assert wire.read_all(sock) == b"after the end of input"


def test_the_engine_may_finish_first(gate, stub):
    seen = []

    def answer(connection, _):
        connection.send(stub_engine.head(101, "Connection: Upgrade", "Upgrade: tcp") + b"output")
        connection.sock.shutdown(socket.SHUT_WR)
        while piece := connection.recv():
            seen.append(piece)
        return False
    stub.answer = answer
    with open_tunnel(gate) as sock:
        head = wire.read_until(sock, b"\r\n\r\n")
        assert head.split(b"\r\n\r\n", 1)[1] + wire.read_all(sock) == b"output"
        sock.sendall(b"still listening?")
    wire.until(lambda: b"".join(seen) == b"still listening?", what="the input after the output's end")


def test_an_upgrade_that_the_engine_declines_stays_http(gate, stub):
    stub.answer = stub_engine.length(409, b'{"message":"not running"}', "Content-Type: application/json")
    kill = b"POST /v1.41/containers/web/kill HTTP/1.1\r\nHost: d\r\nContent-Length: 0\r\n\r\n"
    with open_tunnel(gate, early=kill) as sock:
        response, rest = wire.read_response(sock)
        assert response.status == 409 and response.message == "not running"
        if response.field("Connection") != "close":
            assert wire.read_response(sock, rest)[0].status == 409
    assert len([r for r in stub.requests if "kill" in r.target]) <= 1


@pytest.mark.parametrize("path", [
    "/v1.41/events", "/v1.41/containers/web/logs?follow=1&stdout=1", "/v1.41/containers/web/stats"])
def test_a_stream_arrives_piece_by_piece(gate, stub, path):
    stub.answer = stub_engine.chunked([b"first\n", b"second\n"], pause=0.5)
    with wire.connect(gate) as sock:
        sock.sendall(b"GET %s HTTP/1.1\r\nHost: d\r\n\r\n" % path.encode())
        start = time.monotonic()
        got = wire.read_until(sock, b"first\n")
        assert time.monotonic() - start < 0.4
        wire.read_until(sock, b"0\r\n\r\n", got)


def test_a_silent_stream_is_not_cut(gate, stub):
    """Longer than the limit on heads, which once made proxies cut what was merely quiet."""
    stub.answer = stub_engine.silent_stream
    with wire.connect(gate, timeout=11) as sock:
        sock.sendall(b"GET /v1.41/events HTTP/1.1\r\nHost: d\r\n\r\n")
        wire.read_until(sock, b"\r\n\r\n")
        with pytest.raises(socket.timeout):
            sock.recv(1)
    assert stub.requests


@pytest.mark.parametrize("answer", [stub_engine.silent_stream, stub_engine.echo(), stub_engine.never],
                         ids=["a stream", "a tunnel", "an answer awaited"])
def test_a_client_that_goes_takes_its_engine_connection_along(gate, stub, answer):
    stub.answer = answer
    plain = answer in (stub_engine.silent_stream, stub_engine.never)
    with wire.connect(gate) if plain else open_tunnel(gate) as sock:
        if plain:
            sock.sendall(b"GET /v1.41/events HTTP/1.1\r\nHost: d\r\n\r\n")
        stub_engine.wait_for_request(stub)
        busy = next(c for c in stub.connections if c.received)
        assert not busy.ended.is_set()
    assert busy.ended.wait(2)


def test_an_engine_that_breaks_off_is_not_taken_for_a_whole_answer(gate, stub):
    stub.answer = stub_engine.chunked([b"half"], end=False)
    with wire.connect(gate) as sock:
        sock.sendall(b"GET /v1.41/containers/web/logs?stdout=1 HTTP/1.1\r\nHost: d\r\n\r\n")
        got = wire.read_all(sock)
    assert b"half" in got and not got.endswith(b"0\r\n\r\n")
    stub.answer = stub_engine.reset(stub_engine.head(200, "Content-Length: 100") + b"only this")
    with wire.connect(gate) as sock:
        sock.sendall(b"GET /v1.41/containers/web/logs?stdout=1 HTTP/1.1\r\nHost: d\r\n\r\n")
        got = wire.read_all(sock)
    assert got == b"" or got.split(b"\r\n\r\n", 1)[1] != b"only this" + b"\0" * 91


def test_64_mebibytes_go_up_and_down_unharmed(gate, stub):
    data = pattern(64 * MIB)
    stub.answer = lambda connection, request: stub_engine.length(
        200, request.body if request.method == "POST" else data)(connection, request)
    with wire.connect(gate, timeout=60) as sock:
        sender = threading.Thread(target=sock.sendall, args=(
            b"POST /v1.41/images/load HTTP/1.1\r\nHost: d\r\nContent-Type: application/x-tar\r\n"
            b"Content-Length: %d\r\n\r\n" % len(data) + data,))
        sender.start()
        head = wire.read_until(sock, b"\r\n\r\n")
        got = bytearray(head.split(b"\r\n\r\n", 1)[1])
        while len(got) < len(data):
            piece = sock.recv(MIB)
            assert piece
            got += piece
        sender.join()
    assert hashlib.sha256(got).digest() == hashlib.sha256(data).digest()
    assert hashlib.sha256(stub.requests[0].body).digest() == hashlib.sha256(data).digest()


def test_64_mebibytes_cross_in_a_tunnel_both_ways_at_once(gate, stub):
    data = pattern(64 * MIB)
    stub.answer = stub_engine.echo()
    with open_tunnel(gate) as sock:
        sock.settimeout(60)
        _, rest = wire.read_response(sock)

        def send():
            sock.sendall(data)
            sock.shutdown(socket.SHUT_WR)
        sender = threading.Thread(target=send)
        sender.start()
        digest, size = hashlib.sha256(rest), len(rest)
        while piece := sock.recv(MIB):
            digest.update(piece)
            size += len(piece)
        sender.join()
    assert (size, digest.digest()) == (len(data), hashlib.sha256(data).digest())


def test_a_reader_that_pauses_holds_the_engine_back_and_loses_nothing(gate, stub):
    data = pattern(16 * MIB)
    sent = threading.Event()

    def answer(connection, _):
        connection.send(stub_engine.head(200, f"Content-Length: {len(data)}") + data)
        sent.set()
        return True
    stub.answer = answer
    with wire.connect(gate) as sock:
        sock.sendall(b"GET /v1.41/images/get?names=a HTTP/1.1\r\nHost: d\r\n\r\n")
        stub_engine.wait_for_request(stub)
        assert not sent.wait(0.5)  # 16 MiB would not fit unless something buffered without bound
        response, _ = wire.read_response(sock)
    assert response.body == data


def test_two_hundred_streams_live_side_by_side(gate, stub):
    stub.answer = stub_engine.echo()
    socks = [open_tunnel(gate) for _ in range(200)]
    try:
        for number, sock in enumerate(socks):
            wire.read_until(sock, b"\r\n\r\n")
            sock.sendall(b"stream %03d" % number)
        for number, sock in reversed(list(enumerate(socks))):
            assert wire.read_until(sock, b"%03d" % number) == b"stream %03d" % number
    finally:
        for sock in socks:
            sock.close()
    wire.until(lambda: all(c.ended.is_set() for c in stub.connections if c.received), what="the end of all streams")

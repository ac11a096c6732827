# SPDX-License-Identifier: BSD-2-Clause
"""What is refused, with which status, and that not one byte of it reaches the engine."""
import ast
import os
import re
import time

import pytest

from lab import wire
from lab.proxy import ROOT


STATUS = {"-EBADMSG": 400, "-EMSGSIZE": 431, "-EPROTONOSUPPORT": 505, "-ENOTSUP": 417}


def malformed_heads():
    """The messages of tests/vectors/http_heads.h that are to be refused, each with its status."""
    with open(os.path.join(ROOT, "tests/vectors/http_heads.h"), encoding="utf-8") as file:
        text = file.read()
    macros = dict(re.findall(r"^#define ([A-Z]+) +(.*)$", text, re.M))
    for name, head, body, source in re.findall(r'VECTOR\("(.*?)", (\S+), (\S+),\s*(.*?)\),\n', text, re.S):
        for _ in range(2):  # macros are made of macros
            source = re.sub(r"\b(%s)\b" % "|".join(macros), lambda match: macros[match.group()], source)
        literals = re.findall(r'"(?:[^"\\]|\\.)*"', source)
        if (head, body) != ("0", "0"):
            data = b"".join(ast.literal_eval("b" + literal) for literal in literals)
            yield pytest.param(data, STATUS[head if head != "0" else body], id=name)


HEADS = list(malformed_heads())


@pytest.fixture(scope="module")
def gate(folder):
    """One proxy for all: refusals must leave nothing behind."""
    from lab.proxy import Proxy  # pylint: disable=import-outside-toplevel
    from stub_engine import StubEngine  # pylint: disable=import-outside-toplevel
    stub = StubEngine(folder)
    proxy = Proxy(folder, stub.socket)
    proxy.stub = stub
    yield proxy
    proxy.stop()
    stub.stop()


def refused(gate, data, end=True):
    """Sends raw bytes, and returns the refusal; the engine must not have seen any of it."""
    before = gate.stub.received
    with wire.connect(gate.socket) as sock:
        try:
            sock.sendall(data)
            if end:
                sock.shutdown(1)
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused before it was all sent
        response, _ = wire.read_response(sock)
        response.closed = wire.read_all(sock) == b""
    assert gate.stub.received == before
    return response


def test_there_are_malformed_heads_to_test():
    assert len(HEADS) >= 40


@pytest.mark.parametrize("data, status", HEADS)
def test_a_malformed_message_is_refused_and_nothing_is_forwarded(gate, data, status):
    # A route that streams its body would see a bad chunk only after the head has gone out: one that inspects it.
    data = data.replace(b" /x", b" /containers/create")
    data = data.replace(b"Host: d\r\nT", b"Host: d\r\nContent-Type: application/json\r\nT")
    response = refused(gate, data)
    assert response.status == status
    assert response.message and response.closed


@pytest.mark.parametrize("line, status", [
    ("GET /no/such/thing", 403), ("POST /containers/web", 403), ("GET /v1.41/v1.41/info", 403),
    ("PATCH /containers/web", 403), ("POST /containers/web/start/../kill", 400), ("GET //containers/json", 400),
    ("GET /containers/json?a=1;b=2", 400), ("GET /containers/%zz/json", 400), ("GET /v1.12/containers/json", 400),
    ("GET /containers/json?all=1&all=0", 400), ("GET /containers/we%00b/json", 400)])
def test_what_is_no_operation_or_ambiguous_is_refused(gate, line, status):
    response = refused(gate, f"{line} HTTP/1.1\r\nHost: d\r\n\r\n".encode())
    assert response.status == status, response.body
    assert response.message


def test_an_unknown_expectation_is_refused(gate):
    assert refused(gate, b"GET /info HTTP/1.1\r\nHost: d\r\nExpect: more\r\n\r\n").status == 417


def test_a_head_of_seventeen_kibibytes_is_too_large(gate):
    response = refused(gate, b"GET /info HTTP/1.1\r\nHost: d\r\nX-Filler: " + b"a" * 17 * 1024 + b"\r\n\r\n", end=False)
    assert response.status == 431 and response.message


def test_sixty_five_fields_are_too_many(gate):
    fields = b"".join(b"X-%d: 1\r\n" % number for number in range(65))
    assert refused(gate, b"GET /info HTTP/1.1\r\nHost: d\r\n" + fields + b"\r\n").status == 431


def test_a_json_body_over_the_limit_is_too_large(gate):
    head = b"POST /containers/create HTTP/1.1\r\nHost: d\r\nContent-Type: application/json\r\n"
    filler = b"a" * (5 << 20)
    body = b'{"Image":"bb","Labels":{"a":"' + filler + b'"}}'
    assert refused(gate, head + b"Content-Length: %d\r\n\r\n" % len(body) + body, end=False).status == 413
    chunks = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    assert refused(gate, head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks, end=False).status == 413


@pytest.mark.parametrize("body", [
    b'{"Image":"bb","image":"cc"}', b'{"Image":"bb"}{}', b'{"Image":"bb",}', b'["Image"]', b"\xff\xfe",
    b'{"HostConfig":{},"Ho\xc5\xbftConfig":{"Privileged":true}}', b'{"Image":"a\\ud800"}', b"[" * 5000 + b"]" * 5000],
    ids=["repeated by case", "two values", "trailing comma", "no object", "no UTF-8", "folded twin", "surrogate",
         "deep"])
def test_json_that_two_readers_could_read_differently_is_refused(gate, body):
    response = refused(gate, b"POST /containers/create HTTP/1.1\r\nHost: d\r\nContent-Type: application/json\r\n"
                             b"Content-Length: %d\r\n\r\n" % len(body) + body)
    assert response.status == 400 and response.message


def test_form_bodies_are_refused(gate):
    for kind in (b"application/x-www-form-urlencoded", b"multipart/form-data; boundary=x"):
        response = refused(gate, b"POST /containers/web/rename?name=a HTTP/1.1\r\nHost: d\r\nContent-Type: " + kind +
                           b"\r\nContent-Length: 6\r\n\r\nname=b")
        assert response.status in (400, 415) and response.message


def test_a_slow_head_runs_out_of_time(gate):
    with wire.connect(gate.socket, timeout=15) as sock:
        start = time.monotonic()
        sock.sendall(b"GET /info HTTP/1.1\r\nHost:")
        response, _ = wire.read_response(sock)
        waited = time.monotonic() - start
    assert response.status == 408 and response.message
    assert 5 < waited < 13


def test_refusals_are_recorded_with_their_reason(gate):
    refused(gate, b"GET /no/such/thing HTTP/1.1\r\nHost: d\r\n\r\n")
    with open(gate.audit, encoding="utf-8") as file:
        assert "/no/such/thing" in file.read()


def test_the_proxy_lives_on_after_all_of_that(gate):
    assert gate.process.poll() is None
    assert wire.ask(gate.socket, "GET", "/_ping").status == 200

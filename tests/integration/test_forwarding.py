# SPDX-License-Identifier: BSD-2-Clause
"""What reaches the engine is what was understood, written anew; never what was received."""
import pytest
import stub_engine

from lab import wire


@pytest.fixture
def gate(stub, proxies):
    return proxies(stub.socket).socket


def send(path, data, method="GET"):
    with wire.connect(path) as sock:
        sock.sendall(data)
        return wire.read_response(sock, method=method)[0]


def test_a_request_is_written_anew_in_one_canonical_form(gate, stub):
    spellings = [
        b"GET /v1.41/containers/json?all=1&limit=5 HTTP/1.1\r\nHost: docker\r\n\r\n",
        b"GET /v1.41/containers/%6ason?%61ll=1&limit=5 HTTP/1.1\r\nhOsT:   docker  \r\n\r\n",
        b"GET /v1.41/%63ontainers/json?all=%31&limit=5 HTTP/1.1\r\nHost: elsewhere\r\nCookie: a=b\r\nX-Odd: 1\r\n\r\n",
    ]
    for spelling in spellings:
        assert send(gate, spelling).status == 200
    lines = {request.line for request in stub.requests}
    assert lines == {"GET /v1.41/containers/json?all=1&limit=5 HTTP/1.1"}
    assert len({request.head for request in stub.requests[:2]}) == 1
    for request in stub.requests:
        assert len(request.all("Host")) == 1


def test_hop_by_hop_fields_end_at_the_proxy(gate, stub):
    data = (b"GET /info HTTP/1.1\r\nHost: docker\r\nConnection: close, X-Private\r\nX-Private: secret\r\n"
            b"Keep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\nTE: trailers\r\n\r\n")
    assert send(gate, data).status == 200
    names = [name.lower() for name, _ in stub.requests[0].fields]
    assert not set(names) & {"keep-alive", "proxy-connection", "te", "x-private"}
    assert "close" not in "".join(stub.requests[0].all("Connection"))


def test_the_body_of_a_create_has_one_length_and_one_type(gate, stub):
    body = b'{"Image":"bb","HostConfig":{"NetworkMode":"none"}}'
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"
    start = b"POST /v1.41/containers/create?name=web HTTP/1.1\r\nHost: d\r\nContent-Type: application/json\r\n"
    assert send(gate, start + b"Content-Length: %d\r\n\r\n" % len(body) + body).status == 200
    assert send(gate, start + b"Transfer-Encoding: chunked\r\n\r\n" + chunks).status == 200
    plain, dechunked = stub.requests
    assert plain.body == dechunked.body and plain.head == dechunked.head
    assert plain.all("Content-Length") == [str(len(plain.body))] and not plain.all("Transfer-Encoding")
    assert plain.all("Content-Type") == ["application/json"]


def test_a_streamed_body_keeps_its_bytes_in_our_own_framing(gate, stub):
    data = bytes(range(256)) * 300
    pieces = [data[i:i + 7777] for i in range(0, len(data), 7777)]
    chunks = b"".join(b"%X\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    start = b"POST /v1.41/images/load?quiet=1 HTTP/1.1\r\nHost: d\r\nContent-Type: application/x-tar\r\n"
    assert send(gate, start + b"Transfer-Encoding: chunked\r\n\r\n" + chunks).status == 200
    assert send(gate, start + b"Content-Length: %d\r\n\r\n" % len(data) + data).status == 200
    for request in stub.requests:
        assert request.body == data
        assert len(request.all("Transfer-Encoding") + request.all("Content-Length")) == 1


def test_a_post_without_a_body_has_none_at_the_engine(gate, stub):
    assert send(gate, b"POST /v1.41/containers/web/start HTTP/1.1\r\nHost: d\r\n\r\n").status == 200
    assert stub.requests[0].body == b"" and stub.requests[0].all("Content-Length") in ([], ["0"])


def test_the_null_that_old_command_lines_send_with_a_commit_is_a_body(gate, stub):
    assert send(gate, b"POST /v1.41/commit?container=web&repo=a HTTP/1.1\r\nHost: d\r\n"
                      b"Content-Type: application/json\r\nContent-Length: 5\r\n\r\nnull\n").status == 200
    assert stub.requests[0].body.strip() in (b"null", b"")


@pytest.mark.parametrize("target", ["/containers/db/rename?name=db9", "/containers/web/attach?stream=true&stdout=true"])
def test_json_that_dockerode_sends_where_the_engine_reads_none_does_no_harm(gate, stub, target):
    response = wire.ask(gate, "POST", target, b'{"name":"db9"}', ("Content-Type: application/json",))
    assert response.status == 200
    assert stub.requests[0].body in (b"", b'{"name":"db9"}')


def test_an_expectation_is_answered_by_the_proxy_itself(gate, stub):
    head = (b"POST /v1.41/containers/create HTTP/1.1\r\nHost: d\r\nContent-Type: application/json\r\n"
            b"Expect: 100-continue\r\nContent-Length: 14\r\n\r\n")
    with wire.connect(gate) as sock:
        sock.sendall(head)
        assert wire.read_until(sock, b"\r\n\r\n").startswith(b"HTTP/1.1 100 ")
        assert stub.received == b""  # nothing is forwarded before it has been judged
        sock.sendall(b'{"Image":"bb"}')
        assert wire.read_response(sock)[0].status == 200
    assert not stub.requests[0].all("Expect")


def test_an_upgrade_is_forwarded_only_where_the_engine_may_hijack(gate, stub):
    fields = b"Host: d\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 0\r\n\r\n"
    assert send(gate, b"POST /v1.41/containers/web/attach?stream=1 HTTP/1.1\r\n" + fields).status == 200
    assert send(gate, b"POST /v1.41/containers/web/start HTTP/1.1\r\n" + fields).status == 200
    attach, start = stub.requests
    assert attach.all("Upgrade") == ["tcp"] and attach.all("Connection") == ["Upgrade"]
    assert not start.all("Upgrade")


def test_credentials_for_a_registry_reach_the_engine(gate, stub):
    assert send(gate, b"POST /v1.41/images/create?fromImage=a&tag=b HTTP/1.1\r\nHost: d\r\nX-Registry-Auth: e30=\r\n"
                      b"Content-Length: 0\r\n\r\n").status == 200
    assert stub.requests[0].all("X-Registry-Auth") == ["e30="]


def test_fields_of_the_response_reach_the_client(gate, stub):
    stub.answer = stub_engine.length(200, b"{}", "Docker-Experimental: true", "X-Docker-Container-Path-Stat: e30=",
                                     "Keep-Alive: timeout=1", "Connection: X-Private", "X-Private: 1")
    response = send(gate, b"GET /v1.41/info HTTP/1.1\r\nHost: d\r\n\r\n")
    assert response.field("Api-Version") == "1.41" and response.field("Docker-Experimental") == "true"
    assert response.field("X-Docker-Container-Path-Stat") == "e30="
    assert response.field("Keep-Alive") is None and response.field("X-Private") is None


@pytest.mark.parametrize("answer", [
    stub_engine.length(200, b"body"), stub_engine.chunked([b"bo", b"dy"]), stub_engine.until_close(b"body")],
    ids=["by length", "in chunks", "until the end"])
def test_every_framing_of_a_response_arrives_and_the_next_request_works(gate, stub, answer):
    with wire.connect(gate) as sock:
        for count in range(2):
            stub.answer = answer
            sock.sendall(b"GET /v1.41/info HTTP/1.1\r\nHost: d\r\n\r\n")
            response, rest = wire.read_response(sock)
            assert (response.status, response.body, rest) == (200, b"body", b"")
            if response.field("Connection") == "close":
                assert count == 0 and response.field("Content-Length") is None
                break


def test_a_head_request_has_no_body(gate, stub):
    stub.answer = stub_engine.length(200, b"OK")
    with wire.connect(gate) as sock:
        sock.sendall(b"HEAD /_ping HTTP/1.1\r\nHost: d\r\n\r\nGET /_ping HTTP/1.1\r\nHost: d\r\n\r\n")
        first, rest = wire.read_response(sock, method="HEAD")
        second, _ = wire.read_response(sock, rest)
    assert first.status == second.status == 200 and second.body == b"OK"


def test_pipelined_requests_are_judged_and_answered_one_after_the_other(stub, proxies):
    gate = proxies(stub.socket, policy="readonly").socket
    stub.answer = lambda connection, request: stub_engine.length(200, request.target.encode())(connection, request)
    with wire.connect(gate) as sock:
        sock.sendall(b"GET /v1.41/info HTTP/1.1\r\nHost: d\r\n\r\n"
                     b"POST /v1.41/containers/web/start HTTP/1.1\r\nHost: d\r\nContent-Length: 0\r\n\r\n"
                     b"GET /v1.41/version HTTP/1.1\r\nHost: d\r\n\r\n")
        first, rest = wire.read_response(sock)
        second, rest = wire.read_response(sock, rest)
        if second.field("Connection") != "close":
            third, rest = wire.read_response(sock, rest)
            assert third.body == b"/v1.41/version"
    assert first.body == b"/v1.41/info" and second.status == 403
    assert b"start" not in stub.received


def test_a_client_of_http_1_0_is_answered_and_closed(gate):
    with wire.connect(gate) as sock:
        sock.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
        answer = wire.read_all(sock)
    assert answer.split(b"\r\n")[0].endswith(b"200 Stub") or b" 200 " in answer.split(b"\r\n")[0]
    assert answer.endswith(b"\r\n\r\nOK")


def test_a_client_of_http_1_0_gets_no_chunks(gate, stub):
    stub.answer = stub_engine.chunked([b"bo", b"dy"])
    with wire.connect(gate) as sock:
        sock.sendall(b"GET /v1.41/info HTTP/1.0\r\n\r\n")
        answer = wire.read_all(sock)
    assert answer.endswith(b"\r\n\r\nbody") and b"chunked" not in answer

# SPDX-License-Identifier: BSD-2-Clause
"""Raw bytes over a socket: what no HTTP library would send, and what it would hide."""
import http.client
import json
import socket
import time


def connect(path, timeout=10):
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.connect(path)  # waits for room in the backlog, which a socket with a timeout does not
    sock.settimeout(timeout)
    return sock


def until(predicate, timeout=5, what="it"):
    """Waits for a condition that another process brings about."""
    end = time.monotonic() + timeout
    while not (value := predicate()):
        assert time.monotonic() < end, f"{what} did not happen within {timeout} s"
        time.sleep(0.01)
    return value


def read_all(sock):
    """Everything until the peer closes; a reset counts as the end."""
    got = b""
    try:
        while piece := sock.recv(1 << 16):
            got += piece
    except ConnectionResetError:
        pass
    return got


def read_until(sock, mark, got=b""):
    while mark not in got:
        piece = sock.recv(1 << 16)
        assert piece, f"closed before {mark!r}: {got!r}"
        got += piece
    return got


class Response:
    def __init__(self, head, body):
        lines = head.decode("latin-1").split("\r\n")
        self.version, status, self.reason = (lines[0] + "  ").split(" ", 2)
        self.status = int(status)
        self.fields = [tuple(part.strip() for part in line.split(":", 1)) for line in lines[1:]]
        self.body = body

    def field(self, name):
        return next((v for k, v in self.fields if k.lower() == name.lower()), None)

    @property
    def message(self):
        """Docker's shape of an error."""
        assert self.field("Content-Type") == "application/json", self.fields
        error = json.loads(self.body)
        assert list(error) == ["message"], error
        return error["message"]


def _length(fields):
    return next((int(v) for k, v in fields if k.lower() == "content-length"), None)


def _dechunk(sock, rest):
    body = b""
    while True:
        rest = read_until(sock, b"\r\n", rest)
        size, rest = rest.split(b"\r\n", 1)
        size = int(size.split(b";")[0], 16)
        while len(rest) < size + 2:
            piece = sock.recv(1 << 16)
            assert piece, "closed inside a chunk"
            rest += piece
        body, rest = body + rest[:size], rest[size + 2:]
        if size == 0:
            return body, rest


def read_response(sock, rest=b"", method="GET"):
    """One response and the bytes after it. 1xx heads but 101 are skipped."""
    while True:
        head, rest = read_until(sock, b"\r\n\r\n", rest).split(b"\r\n\r\n", 1)
        response = Response(head, b"")
        if response.status == 101 or response.status >= 200:
            break
    if response.status in (101, 204, 304) or method == "HEAD":
        return response, rest
    if (response.field("Transfer-Encoding") or "").lower() == "chunked":
        response.body, rest = _dechunk(sock, rest)
    elif (length := _length(response.fields)) is not None:
        while len(rest) < length:
            piece = sock.recv(1 << 16)
            assert piece, f"closed after {len(rest)} of {length} bytes"
            rest += piece
        response.body, rest = rest[:length], rest[length:]
    else:
        response.body, rest = rest + read_all(sock), b""
    return response, rest


def ask(path, method, target, body=b"", fields=(), timeout=10):
    """One request on a connection of its own."""
    lines = [f"{method} {target} HTTP/1.1", "Host: docker", *fields]
    if body or method == "POST":
        lines.append(f"Content-Length: {len(body)}")
    with connect(path, timeout) as sock:
        sock.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        return read_response(sock, method=method)[0]


class Client(http.client.HTTPConnection):
    """The standard library's client on a Unix socket."""

    def __init__(self, path, timeout=30):
        super().__init__("docker", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = connect(self.path, self.timeout)

    def json(self, method, target, body=None):
        data = None if body is None else json.dumps(body)
        self.request(method, target, data, {"Content-Type": "application/json"} if data else {})
        response = self.getresponse()
        data = response.read()
        assert response.status < 400, f"{method} {target}: {response.status} {data!r}"
        return json.loads(data) if data.startswith((b"{", b"[")) else None

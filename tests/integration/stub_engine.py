# SPDX-License-Identifier: BSD-2-Clause
"""
A recording engine: keeps every byte of every connection, and answers what a test tells it to.

An answer is a function of (connection, request); it may send anything, and says by its value whether the
connection goes on (True) or is closed. Requests are read as strictly as a proxy should write them.
"""
import os
import re
import socket
import struct
import threading
import time

from lab import wire


class Request:
    def __init__(self, head, body):
        lines = head.decode("latin-1").split("\r\n")
        self.line, self.head, self.body = lines[0], head, body
        self.method, self.target, _ = lines[0].split(" ")
        self.fields = [tuple(part.strip() for part in line.split(":", 1)) for line in lines[1:]]

    def all(self, name):
        return [value for key, value in self.fields if key.lower() == name.lower()]


class Connection:
    def __init__(self, sock):
        self.sock = sock
        self.pieces = []  # everything that came, ever
        self.ended = threading.Event()  # the peer has shut its side
        self.closed = threading.Event()  # and nothing is left of the connection
        self.rest = b""  # received and not read yet

    @property
    def received(self):
        return b"".join(self.pieces)

    def recv(self):
        try:
            piece = self.sock.recv(1 << 18)
        except OSError:
            piece = b""
        if piece:
            self.pieces.append(piece)
        else:
            self.ended.set()
        return piece

    def send(self, data):
        self.sock.sendall(data)

    def _more(self):
        piece = self.recv()
        if not piece:
            raise EOFError
        return piece

    def _take(self, count):
        pieces, size = [self.rest], len(self.rest)
        while size < count:
            pieces.append(self._more())
            size += len(pieces[-1])
        data = b"".join(pieces)
        self.rest = data[count:]
        return data[:count]

    def _until(self, mark):
        while mark not in self.rest:
            self.rest += self._more()
        line, self.rest = self.rest.split(mark, 1)
        return line

    def read_head(self):
        return Request(self._until(b"\r\n\r\n"), b"")

    def read_body(self, request):
        if request.all("Transfer-Encoding"):
            pieces = []
            while size := int(self._until(b"\r\n"), 16):
                pieces.append(self._take(size))
                assert self._take(2) == b"\r\n"
            assert self._until(b"\r\n") == b"", "a trailer was forwarded"
            request.body = b"".join(pieces)
        elif lengths := request.all("Content-Length"):
            request.body = self._take(int(lengths[0]))


class StubEngine:
    def __init__(self, folder):
        self.socket = os.path.join(folder, f"stub-{time.monotonic_ns()}.sock")
        self.answer = length(200, b"OK")
        self.connections, self.requests = [], []
        self.streams_body = False  # the answer reads the body itself
        self.start()

    def start(self):
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(self.socket)
        os.chmod(self.socket, 0o666)  # the proxy runs as nobody in particular
        self.listener.listen(512)
        threading.Thread(target=self._accept, args=(self.listener,), daemon=True).start()

    def stop(self):
        """Goes away like an engine that is stopped: socket, listener and connections."""
        if self.listener is not None:
            os.unlink(self.socket)
            self.listener.shutdown(socket.SHUT_RDWR)
            self.listener.close()
            self.listener = None
        self.drop_connections()

    def drop_connections(self):
        for connection in self.connections:
            try:
                connection.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    @property
    def received(self):
        """Every byte that ever came, of all connections."""
        return b"".join(connection.received for connection in self.connections)

    def _accept(self, listener):
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            connection = Connection(sock)
            self.connections.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        try:
            while True:
                request = connection.read_head()
                if not self.streams_body:
                    connection.read_body(request)
                self.requests.append(request)
                if not self.answer(connection, request):
                    break
        except (EOFError, OSError):
            pass
        connection.sock.close()
        connection.closed.set()


def head(status=200, *fields):
    return "\r\n".join([f"HTTP/1.1 {status} Stub", "Api-Version: 1.41", "Server: Stub", *fields]).encode() + b"\r\n\r\n"


def length(status, body, *fields):
    def answer(connection, request):
        data = head(status, f"Content-Length: {len(body)}", *fields)
        connection.send(data if request.method == "HEAD" else data + body)
        return True
    return answer


def chunked(pieces, pause=0, end=True):
    def answer(connection, _):
        connection.send(head(200, "Content-Type: application/json", "Transfer-Encoding: chunked"))
        for piece in pieces:
            connection.send(b"%x\r\n%s\r\n" % (len(piece), piece))
            time.sleep(pause)
        if end:
            connection.send(b"0\r\n\r\n")
        return end
    return answer


def until_close(body):
    def answer(connection, _):
        connection.send(head(200) + body)
        return False
    return answer


def raw(data, goes_on=False):
    def answer(connection, _):
        connection.send(data)
        return goes_on
    return answer


def reset(after=b""):
    """Sends that much and then tears the connection down."""
    def answer(connection, _):
        connection.send(after)
        connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False
    return answer


def never(connection, _):
    """Says nothing until the peer goes."""
    while connection.recv():
        pass
    return False


def silent_stream(connection, _):
    """A response that has begun and says nothing more, like `events` on a quiet day."""
    connection.send(head(200, "Content-Type: application/json", "Transfer-Encoding: chunked"))
    return never(connection, _)


def echo(status=101):
    """A hijacked stream that sends back what it gets and ends when the peer has ended."""
    first = head(101, "Connection: Upgrade", "Upgrade: tcp") if status == 101 else \
        head(200, "Content-Type: application/vnd.docker.raw-stream")

    def answer(connection, _):
        connection.send(first)
        while piece := connection.rest or connection.recv():
            connection.rest = b""
            connection.send(piece)
        connection.sock.shutdown(socket.SHUT_WR)
        return False
    return answer


def by_target(**answers):
    """Chooses by the last word of the path."""
    def answer(connection, request):
        word = re.split(r"[/?]", request.target.split("?")[0])[-1].lstrip("_")
        return answers[word](connection, request)
    return answer


def wait_for_request(stub, count=1, timeout=5):
    wire.until(lambda: len(stub.requests) >= count, timeout, f"request number {count} at the engine")
    return stub.requests[count - 1]

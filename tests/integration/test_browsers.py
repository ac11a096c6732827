# SPDX-License-Identifier: BSD-2-Clause
"""Web pages and a TCP listener: CORS to the letter, DNS rebinding, and a real browser that is held to it."""
import http.client
import http.server
import shutil
import socket
import subprocess
import tempfile
import threading

import pytest
import stub_engine

APP = "https://app.example.com"


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


class Gate:
    """A proxy on TCP that is configured by variables, as the seeds configure theirs."""

    def __init__(self, stub, proxies, **variables):
        self.port = free_port()
        self.stub = stub
        stub.answer = stub_engine.length(200, b'{"ID":"gated"}', "Content-Type: application/json")
        env = {"INFO": "1", "CONTAINERS": "1", "POST": "1", **variables}
        self.proxy = proxies(stub.socket, policy=None, env=env, listen=f"tcp:127.0.0.1:{self.port}")

    def ask(self, method, target, host=None, **fields):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        fields = {name.replace("_", "-"): value for name, value in fields.items()}
        connection.request(method, target, headers={"Host": host or f"localhost:{self.port}", **fields})
        response = connection.getresponse()
        response.read()
        return response


@pytest.fixture
def gate(stub, proxies):
    return Gate(stub, proxies, ALLOWED_ORIGINS=f"{APP}, http://localhost:3000")


def test_an_allowed_origin_is_named_and_may_use_credentials(gate):
    for origin in (APP, "http://localhost:3000"):
        response = gate.ask("GET", "/info", Origin=origin)
        assert response.status == 200
        assert response.getheader("Access-Control-Allow-Origin") == origin
        assert response.getheader("Access-Control-Allow-Credentials") == "true"
        assert response.getheader("Vary") == "Origin"


def test_another_origin_is_refused_and_never_reflected(gate, stub):
    for origin in ("https://evil.example", APP + ".evil.example", "null", "*", APP + ":8443", "http://app.example.com"):
        response = gate.ask("GET", "/info", Origin=origin)
        assert response.status == 403, origin
        assert response.getheader("Access-Control-Allow-Origin") is None
    assert stub.received == b""


def test_a_request_without_an_origin_is_judged_by_the_policy_alone(gate):
    response = gate.ask("GET", "/info")
    assert response.status == 200 and response.getheader("Access-Control-Allow-Origin") is None


def test_a_preflight_is_answered_here_and_never_forwarded(gate, stub):
    response = gate.ask("OPTIONS", "/containers/create", Origin=APP, Access_Control_Request_Method="POST")
    assert response.status == 204
    assert response.getheader("Access-Control-Allow-Origin") == APP
    assert "POST" in response.getheader("Access-Control-Allow-Methods")
    response = gate.ask("OPTIONS", "/containers/create", Origin="https://evil.example", Access_Control_Request_Method="POST")
    assert response.status == 403
    assert stub.received == b""


def test_streams_and_websockets_are_judged_before_the_upgrade(gate, stub):
    assert gate.ask("GET", "/events", Origin="https://evil.example").status == 403
    response = gate.ask("GET", "/containers/web/attach/ws?stream=1", Origin="https://evil.example", Connection="Upgrade",
                        Upgrade="websocket", Sec_WebSocket_Key="AAAAAAAAAAAAAAAAAAAAAA==", Sec_WebSocket_Version="13")
    assert response.status == 403
    assert stub.received == b""


def test_the_applications_own_origin_stands_in_for_a_list(stub, proxies):
    gate = Gate(stub, proxies, APP_BASE_URL=f"{APP}/login")
    assert gate.ask("GET", "/info", Origin=APP).status == 200
    assert gate.ask("GET", "/info", Origin="https://evil.example").status == 403


def test_a_wildcard_is_a_configuration_error(stub, proxies):
    with pytest.raises(AssertionError, match="ALLOWED_ORIGINS"):
        Gate(stub, proxies, ALLOWED_ORIGINS="*")


def test_a_rebound_name_is_refused(gate, stub):
    assert gate.ask("GET", "/info", host="evil.example").status == 403
    assert stub.received == b""
    assert gate.ask("GET", "/info", host="127.0.0.1").status == 200


# --- A real browser -------------------------------------------------------------------------------------------

PAGE = """<!doctype html><title>page</title><p id=result>waiting</p><script>
fetch("http://localhost:%d/info", {credentials: "include"})
  .then(response => response.json()).then(info => "read " + info.ID, error => "refused " + error.name)
  .then(text => document.getElementById("result").textContent = text);
</script>"""


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write((PAGE % self.server.gate_port).encode())

    def log_message(self, *_):
        pass


def show(port):
    """What a headless Chromium makes of the page that is served on a port."""
    profile = tempfile.mkdtemp(prefix="sockgate-chromium-")
    try:
        return subprocess.run(
            [shutil.which("chromium"), "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--disable-sync",
             "--virtual-time-budget=5000", f"--user-data-dir={profile}", "--dump-dom", f"http://localhost:{port}/"],
            capture_output=True, text=True, timeout=120, check=True).stdout
    finally:
        shutil.rmtree(profile, ignore_errors=True)


def serve(port, gate_port):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Page)
    server.gate_port = gate_port
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def test_chromium_lets_the_allowed_page_read_and_no_other(stub, proxies):
    allowed, other = free_port(), free_port()
    gate = Gate(stub, proxies, ALLOWED_ORIGINS=f"http://localhost:{allowed}")
    servers = [serve(allowed, gate.port), serve(other, gate.port)]
    try:
        assert "read gated" in show(allowed)
        assert "refused TypeError" in show(other)
    finally:
        for server in servers:
            server.shutdown()
    # The page that was refused has not even reached the engine.
    assert [request.line for request in stub.requests].count("GET /info HTTP/1.1") == 1

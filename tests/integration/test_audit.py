# SPDX-License-Identifier: BSD-2-Clause
"""The audit trail: what is in it and what never is, what verify finds, rotation, a full disk, a signer."""
import base64
import ctypes
import json
import os
import shutil
import signal
import subprocess
import threading
import time

import pytest

from lab import wire
from lab.proxy import ROOT, Proxy
from stub_engine import length

SOCKGATE = os.path.join(os.environ["BUILD"], "sockgate")


def records(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def verify(*files, key=None):
    """The exit status, and what `sockgate audit-log verify` says of them."""
    option = ["--key", key] if key else []
    done = subprocess.run([SOCKGATE, "audit-log", "verify", "--json", *option, *files], capture_output=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    answer = json.loads(done.stdout)
    assert answer["intact"] == (done.returncode == 0) == (not answer["findings"])
    return answer


def found(answer):
    return [(f["what"], f["line"]) for f in answer["findings"]]


@pytest.fixture
def key(folder):
    path = os.path.join(folder, "audit.key")
    if not os.path.exists(path):
        subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", path], check=True)
        subprocess.run(["openssl", "pkey", "-in", path, "-pubout", "-out", path + ".pub"], check=True)
        os.chmod(path, 0o600)
    return path


@pytest.fixture
def trail(folder, stub, key):
    """A finished trail of 20 allowed requests and 5 refused ones, signed."""
    proxy = Proxy(folder, stub.socket, policy="readonly", options=["--audit-key", key])
    for i in range(25):
        wire.ask(proxy.socket, "POST" if i % 5 == 4 else "GET", "/containers/json")
    assert proxy.stop() == 0
    return proxy.audit


def test_one_record_for_each_decision_and_none_after_it(folder, stub):
    """The record is in the file when the engine sees the request."""
    proxy = Proxy(folder, stub.socket, policy="readonly")
    seen = []
    answer = length(200, b"[]")

    def look(connection, request):
        seen.extend(r for r in records(proxy.audit) if r["event.action"] == "request")
        return answer(connection, request)
    stub.answer = look
    assert wire.ask(proxy.socket, "GET", "/containers/json").status == 200
    assert wire.ask(proxy.socket, "POST", "/containers/create", b"{}", ["Content-Type: application/json"]).status == 403
    proxy.stop()
    assert [r["url.path"] for r in seen] == ["/containers/json"]
    requests = [r for r in records(proxy.audit) if r["event.action"] == "request"]
    assert [(r["event.outcome"], r["url.path"]) for r in requests] == \
        [("success", "/containers/json"), ("failure", "/containers/create")]
    assert requests[0]["user.id"] == os.getuid() and requests[0]["process.pid"] == os.getpid()


def test_a_chain_has_a_start_and_an_end(trail):
    chains = {}
    for record in records(trail):
        chains.setdefault(record["sockgate.chain"], []).append(record)
    assert sorted(chain[0]["process.name"] for chain in chains.values()) == ["sockgate-proxy", "sockgate-worker"]
    for chain in chains.values():
        assert [r["sockgate.seq"] for r in chain] == list(range(len(chain)))
        assert (chain[0]["event.action"], chain[-1]["event.action"]) == ("chain-start", "chain-end")


def test_a_whole_trail_is_intact_and_its_workers_chain_is_signed_to_the_end(trail, key):
    answer = verify(trail, key=key + ".pub")
    assert answer["intact"] and answer["checkpoints"] >= 1 and answer["open"] == 0
    assert answer["unproved"] <= 1  # the signer's own last record


def lines_of(path):
    with open(path, "rb") as file:
        return file.read().splitlines(keepends=True)


def altered(trail, lines):
    with open(trail + ".altered", "wb") as file:
        file.write(b"".join(lines))
    return trail + ".altered"


def requests_at(lines):
    return [i for i, line in enumerate(lines) if b'"event.action":"request"' in line]


def test_verify_finds_a_deleted_record_and_says_which(trail, key):
    lines = lines_of(trail)
    at = requests_at(lines)[7]
    seq = json.loads(lines[at])["sockgate.seq"]
    answer = verify(altered(trail, lines[:at] + lines[at + 1:]), key=key + ".pub")
    missing = [f for f in answer["findings"] if f["what"] == "missing"]
    assert [(f["seq"], f["count"]) for f in missing] == [(seq, 1)]


def test_verify_finds_a_changed_record_and_says_which(trail, key):
    lines = lines_of(trail)
    at = requests_at(lines)[3]
    lines[at] = lines[at].replace(b"/containers/json", b"/containers/jsOn")
    assert found(verify(altered(trail, lines), key=key + ".pub")) == [("changed", at + 1)]


def test_verify_finds_that_the_last_signed_record_was_changed(trail, key):
    lines = lines_of(trail)
    at = requests_at(lines)[-1] + 1
    assert b"chain-end" in lines[at]
    lines[at] = lines[at].replace(b"chain-end", b"chain-End")
    assert ("changed", at + 1) in found(verify(altered(trail, lines), key=key + ".pub"))


def test_verify_finds_reordered_and_doubled_records(trail, key):
    lines = lines_of(trail)
    at = requests_at(lines)[5]
    swapped = lines[:at] + [lines[at + 1], lines[at]] + lines[at + 2:]
    assert found(verify(altered(trail, swapped), key=key + ".pub")) == [("reordered", at + 2)]
    doubled = lines[:at + 1] + [lines[at]] + lines[at + 1:]
    assert found(verify(altered(trail, doubled), key=key + ".pub")) == [("duplicated", at + 2)]


def test_verify_finds_a_chain_that_was_cut_before_its_checkpoint(trail, key):
    lines = lines_of(trail)
    gone = requests_at(lines)[-3]
    kept = [line for i, line in enumerate(lines) if i < gone or b"sockgate-proxy" in line or b"checkpoint" in line]
    assert "truncated" in [what for what, _ in found(verify(altered(trail, kept), key=key + ".pub"))]


def test_verify_finds_a_chain_that_was_written_anew(trail, key, folder, stub):
    """Whoever has no key can make a trail that is whole, but not one that is signed."""
    other = key + ".other"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", other], check=True)
    os.chmod(other, 0o600)
    subprocess.run(["openssl", "pkey", "-in", other, "-pubout", "-out", other + ".pub"], check=True)
    proxy = Proxy(folder, stub.socket, options=["--audit-key", other])
    wire.ask(proxy.socket, "GET", "/containers/json")
    proxy.stop()
    assert verify(proxy.audit, key=other + ".pub")["intact"]
    assert {what for what, _ in found(verify(proxy.audit, key=key + ".pub"))} == {"bad-signature"}


def test_verify_finds_an_unfinished_line_and_one_that_is_no_record(trail, key):
    lines = lines_of(trail)
    assert ("unfinished", len(lines)) in found(verify(altered(trail, lines[:-1] + [lines[-1][:-20]]), key=key + ".pub"))
    assert ("unreadable", 3) in found(verify(altered(trail, lines[:2] + [b"hello\n"] + lines[2:]), key=key + ".pub"))


def test_an_engineers_openssl_can_check_a_checkpoint(trail, key, folder):
    line = next(line for line in lines_of(trail) if b"checkpoint" in line).rstrip(b"\n")
    signed, signature = line.split(b',"sockgate.signature":"')
    for name, data in (("signed", signed), ("signature", bytes.fromhex(signature[:128].decode()))):
        with open(os.path.join(folder, name), "wb") as file:
            file.write(data)
    subprocess.run(["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", key + ".pub", "-rawin", "-in",
                    os.path.join(folder, "signed"), "-sigfile", os.path.join(folder, "signature")], check=True)


def test_a_key_that_others_may_read_is_not_taken(folder, stub, key):
    loose = key + ".loose"
    shutil.copy(key, loose)
    os.chmod(loose, 0o644)
    with pytest.raises(AssertionError, match="others may read the key"):
        Proxy(folder, stub.socket, options=["--audit-key", loose])


def test_rotation_loses_no_line_under_load(folder, stub, key):
    stub.answer = length(200, b"[]")
    proxy = Proxy(folder, stub.socket, options=["--audit-key", key])
    sent, over = [0] * 4, threading.Event()

    def load(index):
        client = wire.Client(proxy.socket)
        while not over.is_set():
            client.json("GET", f"/containers/json?load={index}")
            sent[index] += 1
        client.close()
    threads = [threading.Thread(target=load, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    rotated = []
    for i in range(5):
        time.sleep(0.2)
        rotated.append(f"{proxy.audit}.{i}")
        os.rename(proxy.audit, rotated[-1])
        # The proxy has become another user: logrotate's `create`.
        with open(proxy.audit, "wb"):
            pass
        os.chmod(proxy.audit, 0o666)
        proxy.process.send_signal(signal.SIGHUP)
        wire.until(lambda: os.path.getsize(proxy.audit) > 0, what="a line in the new file")
    over.set()
    for thread in threads:
        thread.join()
    proxy.stop()
    files = [*rotated, proxy.audit]
    assert b"goes on in the old file" not in proxy.log
    assert sum(r["event.action"] == "request" for path in files for r in records(path)) == sum(sent) > 100
    answer = verify(*files, key=key + ".pub")
    assert answer["intact"] and answer["open"] == 0, answer
    # One file alone says that it is not the first; a whole file that is gone is found.
    assert verify(rotated[2], key=key + ".pub")["continued"] >= 1
    assert "missing" in [what for what, _ in found(verify(*rotated[:2], *rotated[3:], proxy.audit))]


def test_a_trail_that_cannot_be_opened_again_goes_on_in_the_old_file(folder, stub):
    if os.getuid() != 0:
        pytest.skip("only a proxy that was started as root loses the right")
    proxy = Proxy(folder, stub.socket)
    os.rename(proxy.audit, proxy.audit + ".1")
    proxy.process.send_signal(signal.SIGHUP)
    wire.until(lambda: b"goes on in the old file" in proxy.errors())
    wire.ask(proxy.socket, "GET", "/containers/json")
    proxy.stop()
    assert verify(proxy.audit + ".1")["intact"]
    assert any(r["event.action"] == "request" for r in records(proxy.audit + ".1"))


@pytest.fixture
def small_disk(folder):
    """A file system of a megabyte on a loop device."""
    path = os.path.join(folder, "disk")
    with open(path + ".img", "wb") as file:
        file.truncate(1 << 20)
    os.makedirs(path, exist_ok=True)
    subprocess.run(["mkfs.ext4", "-q", "-O", "^has_journal", "-m", "0", path + ".img"], check=True)
    subprocess.run(["mount", "-o", "loop", path + ".img", path], check=True)
    yield path
    subprocess.run(["umount", path], check=True)


def fill(path):
    with open(os.path.join(path, "filler"), "wb", buffering=0) as file:
        for size in (65536, 1024, 1):
            try:
                while file.write(b"x" * size):
                    pass
            except OSError:
                pass
    return file.name


@pytest.mark.parametrize("required", [True, False])
def test_a_full_disk(folder, stub, small_disk, required):
    """Under require_audit nothing is forwarded without its record; otherwise what is lost is counted."""
    stub.answer = length(200, b"[]")
    audit = os.path.join(small_disk, "audit.jsonl")
    # --audit comes again: the last one is taken.
    proxy = Proxy(folder, stub.socket, options=["--audit", audit, *["--require-audit"] * required])
    client = wire.Client(proxy.socket)
    client.json("GET", "/containers/json")
    filler = fill(small_disk)
    answers = [wire.ask(proxy.socket, "GET", f"/containers/json?n={i}") for i in range(20)]
    unheard = [a for a in answers if a.status == 503]
    assert len(unheard) == (0 if not required else len(unheard)) and (not required or len(unheard) >= 10)
    assert all("require_audit: the audit trail cannot be written: No space left" in a.message for a in unheard)
    assert len(stub.requests) == 1 + 20 - len(unheard)
    os.unlink(filler)
    assert wire.ask(proxy.socket, "GET", "/containers/json").status == 200
    client.close()
    proxy.stop()
    assert b"cannot write: No space left on device" in proxy.log
    got = records(audit)
    lost = sum(r["sockgate.count"] for r in got if r["event.action"] == "records-lost")
    kept = sum(r["event.action"] == "request" for r in got)
    assert lost >= 10 and kept + lost == 22
    assert not required or kept >= len(stub.requests)
    assert verify(audit)["intact"]


SECRETS = {
    "registry": base64.urlsafe_b64encode(b'{"username":"u","password":"pa55-registry"}').decode(),
    "config": base64.urlsafe_b64encode(b'{"r":{"password":"pa55-config"}}').decode(),
    "body": "pa55-body", "env": "pa55-env", "arg": "pa55-arg", "query": "pa55-query", "cookie": "pa55-cookie",
}


def test_secrets_are_never_in_the_trail(folder, stub):
    stub.answer = length(200, b"{}")
    json_type = "Content-Type: application/json"
    headers = [f"X-Registry-Auth: {SECRETS['registry']}", f"X-Registry-Config: {SECRETS['config']}",
               f"Cookie: {SECRETS['cookie']}", f"Authorization: Bearer {SECRETS['cookie']}"]
    auth = json.dumps({"username": "u", "password": SECRETS["body"], "serveraddress": "r"}).encode()
    create = json.dumps({"Image": "a", "Env": [f"TOKEN={SECRETS['env']}"], "Labels": {"x": SECRETS["env"]},
                         "Cmd": ["sh", "-c", SECRETS["env"]]}).encode()
    privileged = create[:-1] + b',"HostConfig":{"Privileged":true,"Binds":["/etc:/x"]}}'
    arguments = f"%7B%22TOKEN%22%3A%22{SECRETS['arg']}%22%7D"
    for policy in ("unrestricted", "readonly", "worker", "ci"):
        proxy = Proxy(folder, stub.socket, policy=policy)
        wire.ask(proxy.socket, "POST", f"/images/create?fromImage=a&tag={SECRETS['query']}", fields=headers)
        wire.ask(proxy.socket, "POST", f"/build?buildargs={arguments}&t=a", b"x",
                 [*headers, "Content-Type: application/x-tar"])
        wire.ask(proxy.socket, "POST", f"/build?buildargs={arguments}&buildargs={arguments}", b"x",
                 [*headers, "Content-Type: application/x-tar"])
        wire.ask(proxy.socket, "POST", "/auth", auth, [*headers, json_type])
        wire.ask(proxy.socket, "POST", "/auth", auth[:-1] + b',"password":"' + auth[:20], [*headers, json_type])
        for body in (create, privileged, create[:-2]):
            wire.ask(proxy.socket, "POST", f"/containers/create?name={SECRETS['query']}x/", body, [*headers, json_type])
            wire.ask(proxy.socket, "POST", "/containers/create", body, [*headers, json_type])
        wire.ask(proxy.socket, "POST", "/containers/a/exec", create, [*headers, json_type])
        wire.ask(proxy.socket, "POST", "/secrets/create",
                 json.dumps({"Name": "n", "Data": SECRETS["body"]}).encode(), [*headers, json_type])
        proxy.stop()
        with open(proxy.audit, encoding="utf-8") as file:
            text = file.read()
        assert text.count('"event.action":"request"') >= 13
        for secret in [*SECRETS.values(), "pa55"]:
            assert secret not in text and secret not in proxy.log.decode(), (policy, secret)


def test_events_are_readable_and_harmless(trail):
    done = subprocess.run([SOCKGATE, "events", trail], capture_output=True, check=True, text=True)
    lines = done.stdout.splitlines()
    assert len(lines) == len(records(trail)) and "\033" not in done.stdout
    denied = [line for line in lines if " DENY " in line]
    assert len(denied) == 5 and all(f"uid {os.getuid()} " in line and "/containers/json" in line for line in denied)
    with open(trail, "rb") as file:  # as from journalctl -o cat
        assert subprocess.run([SOCKGATE, "events", "-"], stdin=file, capture_output=True, check=True,
                              text=True).stdout == done.stdout
    evil = trail + ".evil"
    with open(evil, "w", encoding="utf-8") as file:
        file.write('{"@timestamp":"\\u001b[2J","event.action":"connect","process.name":"\\u009b2J\\u001b]0;x\\u0007"}\n')
        file.write("\033]0;not json\007\n")
    done = subprocess.run([SOCKGATE, "events", evil], capture_output=True, check=True)
    assert b"\033" not in done.stdout and b"\007" not in done.stdout and b"\xc2\x9b" not in done.stdout


def test_events_follow_a_live_trail_across_a_rotation(folder, stub):
    stub.answer = length(200, b"[]")
    proxy = Proxy(folder, stub.socket)
    with subprocess.Popen([SOCKGATE, "events", "-f", "--json", "-n", "1", proxy.audit],
                          stdout=subprocess.PIPE) as events:
        lines = []
        reader = threading.Thread(target=lambda: lines.extend(events.stdout), daemon=True)
        reader.start()

        def paths():
            return [json.loads(line).get("url.path") for line in list(lines)]
        wire.ask(proxy.socket, "GET", "/containers/json")
        wire.until(lambda: "/containers/json" in paths())
        os.rename(proxy.audit, proxy.audit + ".1")
        with open(proxy.audit, "wb"):
            pass
        os.chmod(proxy.audit, 0o666)
        wire.ask(proxy.socket, "GET", "/images/json")  # still into the old file
        proxy.process.send_signal(signal.SIGHUP)
        wire.until(lambda: os.path.getsize(proxy.audit) > 0)
        wire.ask(proxy.socket, "GET", "/info")
        wire.until(lambda: "/info" in paths() and "/images/json" in paths())
        events.terminate()
    proxy.stop()
    assert [path for path in paths() if path] == ["/containers/json", "/images/json", "/info"]


@pytest.fixture
def daemon(folder, stub):
    """sockgated without the kernel's gate, with /run/sockgate and its folder of configuration to itself."""
    config = os.path.join(folder, "daemon.yaml")
    etc = "/etc/sockgate"
    os.makedirs(etc, exist_ok=True)
    os.makedirs("/run/sockgate", exist_ok=True)
    with open(config, "w", encoding="utf-8") as file:
        json.dump({"version": 1, "gate": {"backend": "none"},
                   "engines": [{"name": "docker", "socket": stub.socket}],
                   "listeners": [{"unix": os.path.join(folder, "daemon.sock"), "mode": "0666", "policy": "readonly"}],
                   "audit": os.path.join(folder, "daemon.jsonl"), "require_audit": True}, file)
    script = 'mount -t tmpfs none /run/sockgate && mount --bind "$1" /etc/sockgate && exec "$2" --config "$3"'
    private = os.path.join(folder, "etc")
    shutil.copytree(os.path.join(ROOT, "policies"), os.path.join(private, "policies"), dirs_exist_ok=True)

    def start():
        return subprocess.Popen(["unshare", "-m", "sh", "-c", script, "sh", private,
                                 os.path.join(os.environ["BUILD"], "sockgated"), config])
    yield start, os.path.join(folder, "daemon.jsonl"), os.path.join(private, "audit"), os.path.join(folder, "daemon.sock")


def test_sockgated_makes_its_key_signs_and_rotates(daemon, stub):
    stub.answer = length(200, b"[]")
    start, audit, key, sock = daemon
    runs = []
    for run in range(2):
        process = start()
        try:
            wire.until(lambda: os.path.exists(audit) and sum(
                r["event.action"] == "proxy-serving" for r in records(audit)) == 1, 20, "a proxy that serves")
            assert wire.ask(sock, "GET", "/containers/json").status == 200
            os.rename(audit, f"{audit}.{run}")
            process.send_signal(signal.SIGHUP)
            wire.until(lambda: os.path.exists(audit) and len(records(audit)) >= 2, what="both in the new file")
            assert wire.ask(sock, "GET", "/images/json").status == 200
        finally:
            process.terminate()
            process.wait(20)
        assert process.returncode == 0
        runs += [f"{audit}.{run}", f"{audit}.{run}.b"]
        os.rename(audit, f"{audit}.{run}.b")
    assert os.stat(key + ".key").st_mode & 0o777 == 0o600
    answer = verify(*runs, key=key + ".pub")
    assert answer["intact"] and answer["open"] == 0 and answer["checkpoints"] >= 2, answer
    assert answer["unproved"] <= 2
    # What the second run's signer saw of the first one's trail is held too: rotation moved it away here.
    assert verify(*runs[2:], key=key + ".pub")["intact"]

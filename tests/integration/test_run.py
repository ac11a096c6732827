# SPDX-License-Identifier: BSD-2-Clause
"""sockgate run: whatever a command tries, a guarded socket is refused or is the proxy, and others are as they were."""
import contextlib
import errno
import json
import os
import platform
import pty
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time

import pytest

from lab.child import end_with_parent

SOCKGATE = os.path.join(os.environ["BUILD"], "sockgate")
ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
NOBODY = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]

# What commands begin with. reach() says who answered, or the name of the error.
PRELUDE = """
import ctypes, errno, os, socket, struct, subprocess, sys, threading, time
libc = ctypes.CDLL(None, use_errno=True)
def syscall(number, *args):
    r = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(a) if isinstance(a, int) else a for a in args])
    return r if r >= 0 else errno.errorcode[ctypes.get_errno()]
def reach(address, s=None, family=socket.AF_UNIX):
    s = s or socket.socket(family)
    try:
        s.connect(address)
        return s.recv(100).decode()
    except OSError as e:
        return errno.errorcode[e.errno]
    finally:
        s.close()
place = sys.argv[1]
engine, echo = place + "/open/engine.sock", place + "/echo.sock"
os.chdir(place + "/open")
"""


class Server:
    """Says one word to whoever connects."""

    def __init__(self, address, word, family=socket.AF_UNIX):
        self.socket, self.word = socket.socket(family), word.encode()
        if family != socket.AF_UNIX:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(address)
        if isinstance(address, str) and address[0] == "/":
            os.chmod(address, 0o666)
        self.socket.listen(128)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.socket.accept()
                with contextlib.suppress(OSError), connection:
                    connection.sendall(self.word)

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


class Place:
    """An engine, a proxy and an ordinary service that only say who they are, and commands run beside them."""

    def __init__(self, path, user):
        self.path, self.prefix = path, NOBODY if user == "nobody" else []
        self.sockgate = os.path.join(os.path.dirname(path), "sockgate")  # not every user may enter every home
        if not os.path.exists(self.sockgate):
            shutil.copy(SOCKGATE, self.sockgate)
        os.makedirs(path + "/open")
        os.chmod(path, 0o755)
        os.chmod(path + "/open", 0o777)
        self.engine, self.proxy, self.echo = path + "/open/engine.sock", path + "/proxy.sock", path + "/echo.sock"
        self.log = path + "/open/log"
        self.name = os.path.basename(path)
        self.servers = [Server(self.engine, "engine"), Server(self.proxy, "proxy"), Server(self.echo, "echo"),
                        Server(f"\0{self.name}-engine", "engine"), Server(f"\0{self.name}-echo", "echo")]

    def argv(self, *command, redirect=True, options=()):
        return [*self.prefix, self.sockgate, "run", "--log", self.log, "--guard", self.engine,
                "--guard", f"@{self.name}-engine", *(["--redirect", self.proxy] if redirect else ["--no-redirect"]),
                *options, "--", *command]

    def run(self, code, timeout=60, **how):
        """Runs Python within, and returns what it prints."""
        argv = self.argv(sys.executable, "-c", PRELUDE + textwrap.dedent(code), self.path, **how)
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=timeout)
        assert done.returncode == 0, done
        return done.stdout.strip()

    def lines(self):
        with open(self.log, encoding="utf-8") as f:
            return [json.loads(line) for line in f]

    def stop(self):
        for server in self.servers:
            server.close()


@pytest.fixture(params=["root", "nobody"])
def place(folder, request):
    place = Place(os.path.join(folder, f"run{time.monotonic_ns()}"), request.param)
    yield place
    place.stop()
    shutil.rmtree(place.path)


# Names for the engine's socket, made by the command itself. Those that take a folder apart come last.
NAMES = {
    "its path": "print(reach(engine))",
    "slashes and dots": "print(reach(place + '//open/./../open///engine.sock'))",
    "a relative path": "print(reach('engine.sock'), reach('./engine.sock'), reach('../open/engine.sock'))",
    "above the root": "print(reach('../' * 8 + engine[1:]))",
    "a symbolic link": "os.symlink(engine, 'a'); os.symlink('a', 'b'); print(reach('b'))",
    "a link to the folder": "os.symlink('../open', 'd'); print(reach('d/engine.sock'))",
    "a working directory": "print(reach('/proc/self/cwd/engine.sock'), reach('/proc/thread-self/cwd/engine.sock'))",
    "a root": "print(reach('/proc/self/root' + engine))",
    "its own process by number": "print(reach(f'/proc/{os.getpid()}/cwd/engine.sock'))",
    "a held socket": "f = os.open(engine, os.O_PATH); print(reach(f'/proc/self/fd/{f}'), reach(f'/dev/fd/{f}'))",
    "a held folder": "f = os.open('.', os.O_PATH); print(reach(f'/proc/self/fd/{f}/engine.sock'))",
    "a held, removed socket": """
        os.link('engine.sock', 'x'); f = os.open('x', os.O_PATH); os.unlink('x')
        print(reach(f'/proc/self/fd/{f}'))""",
    "a hard link": "os.link('engine.sock', 'x'); print(reach('x'))",
    "an abstract name": "print(reach('\\0' + os.path.basename(place) + '-engine'))",
    "a thread": "t = threading.Thread(target=lambda: print(reach(engine))); t.start(); t.join()",
    "a thread elsewhere": """
        def go():
            libc.unshare(0x200)  # CLONE_FS
            os.chdir('/')
            print(reach(place[1:] + '/open/engine.sock'))
        t = threading.Thread(target=go); t.start(); t.join()""",
    "a thread with descriptors of its own": """
        def go():
            libc.unshare(0x400)  # CLONE_FILES
            print(reach(engine))
        t = threading.Thread(target=go); t.start(); t.join()""",
    "a child of a child": """
        if os.fork() == 0:
            if os.fork() == 0:
                print(reach(engine), flush=True)
                os._exit(0)
            os.wait(); os._exit(0)
        os.wait()""",
    "an orphan": """
        r, w = os.pipe()
        if os.fork() == 0:
            if os.fork() == 0:
                os.setsid(); time.sleep(0.2); os.write(w, reach(engine).encode()); os._exit(0)
            os._exit(0)
        os.wait(); os.close(w); print(os.read(r, 100).decode())""",
    "another program": """
        done = subprocess.run(['socat', '-u', 'UNIX-CONNECT:' + engine, '-'], capture_output=True, text=True)
        print('EACCES' if 'Permission denied' in done.stderr else done.stdout)""",
    "a full name": """
        d = place + '/open/' + 'd' * (108 - len(place) - len('/open//e')); os.symlink('.', d)
        os.symlink('engine.sock', 'e'); s = socket.socket(socket.AF_UNIX); path = (d + '/e').encode()
        r = libc.connect(s.fileno(), b'\\1\\0' + path, 2 + len(path))
        print(len(path) == 108 and (s.recv(100).decode() if r == 0 else errno.errorcode[ctypes.get_errno()]))""",
    "a new name": "os.rename('engine.sock', 'x'); print(reach('x'))",
    "a new name of the folder": "os.mkdir('sub'); os.rename('engine.sock', 'sub/x'); print(reach('sub/x'))",
}
WRITES = {"a new name", "a new name of the folder", "a hard link", "a held, removed socket"}


@pytest.mark.parametrize("redirect", [True, False], ids=["redirect", "refuse"])
@pytest.mark.parametrize("name", NAMES)
def test_no_name_leads_to_the_engine(place, name, redirect):
    if name in WRITES:
        os.chmod(place.path + "/open", 0o777)
        os.chown(place.engine, *((65534, 65534) if place.prefix else (0, 0)))  # fs.protected_hardlinks
    seen = place.run(NAMES[name], redirect=redirect).split()
    assert seen and set(seen) == {"proxy" if redirect else "EACCES"}, seen
    lines = place.lines()
    assert lines and {line["event"] for line in lines} == {"redirected" if redirect else "refused"}
    assert {"guard", "address", "time", "tid", "command"} <= set(lines[0])


def test_a_socket_that_is_made_anew_and_renamed_at_once_is_known_by_what_it_was_bound_to(place):
    go = place.path + "/open/go"
    with contextlib.closing(Server(place.path + "/other.sock", "x")):
        done = threading.Thread(target=remake, args=(place, go))
        done.start()
        seen = place.run("""
            open('go', 'w').close()
            while not os.path.exists('gone'): time.sleep(0.01)
            print(reach('moved'), reach('linked'))""")
        done.join()
    assert seen == "proxy proxy"


def remake(place, go):
    """The engine starts again, and its new socket has lost its name before anybody has looked at it."""
    while not os.path.exists(go):
        time.sleep(0.01)
    os.unlink(place.engine)
    place.servers.append(Server(place.engine, "engine"))
    os.link(place.engine, place.path + "/open/linked")
    os.rename(place.engine, place.path + "/open/moved")
    open(place.path + "/open/gone", "w", encoding="utf-8").close()


# /opt is a tmpfs of the command's own.
NAMESPACES = {
    "a bind mount of the socket": "touch /opt/x && mount --bind {engine} /opt/x && exec {python} /opt/x",
    "a bind mount of the folder": "mkdir /opt/d && mount --bind {folder} /opt/d && exec {python} /opt/d/engine.sock",
    "a changed root": "mkdir /opt/d && mount --rbind / /opt/d && exec chroot /opt/d {python} {engine}",
    "a changed root that shows it elsewhere": """
        mkdir /opt/d && mount --rbind / /opt/d && mount -t tmpfs none /opt/d/mnt && touch /opt/d/mnt/x &&
        mount --bind {engine} /opt/d/mnt/x && ln -s /mnt/x /opt/d/mnt/y && exec chroot /opt/d {python} /mnt/y""",
    "a network of its own": "exec unshare -n {python} {engine}",
}


@pytest.mark.parametrize("name", NAMESPACES)
def test_namespaces_of_its_own_do_not_help(place, name):
    code = "import socket, sys; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); print(s.recv(9).decode())"
    script = NAMESPACES[name].format(engine=place.engine, folder=place.path + "/open",
                                     python=f"{sys.executable} -c '{code}'")
    argv = place.argv("unshare", "-Urm", "sh", "-c", "mount -t tmpfs none /opt && " + script,
                      options=["--no-landlock"])  # of some versions, which would let nobody mount
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=30)
    assert (done.returncode, done.stdout) == (0, "proxy\n"), done


def test_names_mean_what_they_mean_to_the_command_not_to_the_supervisor(place):
    """A symbolic link to an absolute name within a changed root; and the supervisor's own /proc is closed."""
    code = """
        os.mkdir('root'); os.mkdir('root/open'); os.symlink('/open/s', 'root/l')
        s = socket.socket(socket.AF_UNIX); s.bind('root/open/s'); s.listen(8)
        def serve():
            while True: s.accept()[0].sendall(b'inner')
        threading.Thread(target=serve, daemon=True).start()
        sup = os.getppid()
        print(reach(f'/proc/{sup}/root' + echo), reach(f'/proc/{sup}/cwd/engine.sock'))
        if os.fork() == 0:
            libc.unshare(0x10000000)
            os.chroot('root')
            os.chdir('/')
            print(reach('/l'), reach('l'), reach('../../open/s'), reach(echo), flush=True)
            os._exit(0)
        os.wait()"""
    first, second = place.run(code).split("\n")
    assert set(first.split()) == {"EACCES"}
    assert second == "inner inner inner ENOENT"


OTHERS = """
for name in ('l', 'loop'):
    if os.path.lexists(name): os.unlink(name)
os.symlink(echo, 'l'); f = os.open(echo, os.O_PATH)
print(reach(echo), reach('../echo.sock'), reach('l'), reach(f'/proc/self/fd/{f}'), reach('/proc/self/cwd/l'),
      reach('\\0' + os.path.basename(place) + '-echo'))
print(reach('nothing'), reach(place), reach(echo + '/'), reach(echo + '/x'), reach('/etc/passwd'), reach('x' * 107),
      reach(echo, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)), reach('l/../echo.sock'), reach('/proc/self/l'))
s = socket.socket(socket.AF_UNIX); os.symlink('loop', 'loop'); print(reach('loop'))
s.connect(echo); print(s.getpeername(), reach(echo, s))
s = socket.socket(socket.AF_UNIX); s.bind('\\0' + os.path.basename(place) + str(os.getpid())); print(reach(echo, s))
a = socket.socket(); a.bind(('127.0.0.1', 0)); a.listen(); b = socket.create_connection(a.getsockname())
c, peer = a.accept(); print(peer == b.getsockname(), reach(('127.0.0.1', 1), family=socket.AF_INET))
u = socket.socket(type=socket.SOCK_DGRAM); u.connect(('127.0.0.1', 2375)); print(u.getpeername())
x, y = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM); print(libc.connect(x.fileno(), b'\\0\\0', 2))
n = socket.socket(socket.AF_UNIX)
for arguments in ((99, b'x', 1), (0, b'x', 1), (u.fileno(), None, 16), (u.fileno(), b'x', -1), (u.fileno(), b'x', 129),
                  (n.fileno(), b'\\1\\0', 2), (n.fileno(), b'\\1\\0' + b'x' * 120, 111), (n.fileno(), b'\\2\\0x', 3),
                  (n.fileno(), b'x', 0), (n.fileno(), b'x', 1)):
    print(libc.connect(*arguments), ctypes.get_errno())
"""


def test_other_sockets_and_every_error_are_as_they_were(place):
    without = subprocess.run([*place.prefix, sys.executable, "-c", PRELUDE + OTHERS, place.path], stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, text=True, check=True, timeout=60).stdout
    assert without.startswith("echo echo echo echo echo echo\n") and len(without.split("\n")) > 15
    assert place.run(OTHERS) == without.strip()
    assert not os.path.exists(place.log) or place.lines() == []


def test_an_address_that_changes_under_the_call_is_judged_as_it_was_copied(place):
    """One thread writes the one name and the other over each other while another connects."""
    seen = place.run("""
        good, bad = (b'\\1\\0' + p.encode().ljust(108, b'\\0') for p in (echo, engine))
        address, stop = ctypes.create_string_buffer(good, 110), []
        def flip():
            while not stop:
                ctypes.memmove(address, bad, 110); ctypes.memmove(address, good, 110)
        t = threading.Thread(target=flip); t.start()
        seen = set()
        end = time.monotonic() + 3
        while time.monotonic() < end:
            s = socket.socket(socket.AF_UNIX)
            seen.add(s.recv(9).decode() if libc.connect(s.fileno(), address, 110) == 0 else ctypes.get_errno())
            s.close()
        stop.append(1); t.join()
        print(*sorted(map(str, seen)))""")
    assert "engine" not in seen and "echo" in seen and "proxy" in seen, seen


def test_a_descriptor_that_changes_under_the_call_is_taken_once(place):
    """The number is a TCP socket when it is looked at and a Unix socket when it would be used, and back."""
    seen = place.run("""
        address = b'\\1\\0' + engine.encode().ljust(108, b'\\0')
        stop = []
        unix, inet = socket.socket(socket.AF_UNIX), socket.socket()
        number = os.dup(inet.fileno())
        def flip():
            while not stop:
                os.dup2(unix.fileno(), number); os.dup2(inet.fileno(), number)
        t = threading.Thread(target=flip); t.start()
        seen = set()
        end = time.monotonic() + 3
        while time.monotonic() < end:
            r = libc.connect(number, address, 110)
            seen.add('connected' if r == 0 else errno.errorcode[ctypes.get_errno()])
            if r == 0:
                seen.add(unix.recv(9).decode()); new = socket.socket(socket.AF_UNIX); os.dup2(new.fileno(), unix.fileno())
        stop.append(1); t.join()
        print(*sorted(seen))""")
    assert "engine" not in seen and "proxy" in seen and "EAFNOSUPPORT" in seen, seen


def test_a_path_that_changes_under_the_call_never_leads_to_the_engine(place):
    seen = place.run("""
        os.symlink(echo, 'l'); os.symlink(engine, 'm'); stop = []
        def flip():
            while not stop:
                libc.renameat2(-100, b'l', -100, b'm', 2)  # RENAME_EXCHANGE
        t = threading.Thread(target=flip); t.start()
        seen, end = set(), time.monotonic() + 3
        while time.monotonic() < end: seen.add(reach('l'))
        stop.append(1); t.join()
        print(*sorted(seen))""")
    assert "engine" not in seen and "echo" in seen and "proxy" in seen, seen


def test_what_else_could_connect_is_refused(place):
    assert place.run("""
        print(syscall(425, 8, ctypes.create_string_buffer(120)), syscall(426, 0, 0, 0, 0, 0), syscall(427, 0, 0, 0, 0))
        allow = ctypes.create_string_buffer(struct.pack('HBBI', 6, 0, 0, 0x7fff0000))
        program = ctypes.create_string_buffer(struct.pack('HxxxxxxP', 1, ctypes.addressof(allow)))
        print(syscall(317, 1, 8, program), syscall(317, 1, 0, program))
        print(libc.ioctl(0, 0x5412, b'x'), ctypes.get_errno(), libc.ioctl(0, 0x541C, b'x'), ctypes.get_errno())
        d = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try: d.sendto(b'x', engine)
        except OSError as e: print(errno.errorcode[e.errno])
        s = socket.socket(socket.AF_UNIX)
        try: s.sendto(b'x', engine)
        except OSError as e: print(errno.errorcode[e.errno])
    """).split("\n") == ["ENOSYS ENOSYS ENOSYS", "EPERM 0", f"-1 {errno.EPERM} -1 {errno.EPERM}", "EPROTOTYPE",
                         "ENOTSUP"]


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the x86 way in")
def test_the_calls_of_another_abi_do_not_exist(place):
    assert place.run("""
        import mmap
        code = mmap.mmap(-1, 4096, prot=7); code.write(bytes.fromhex('b814000000cd80c3'))  # mov eax, 20; int 0x80; ret
        call = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))
        print(call(), syscall(0x40000000 + 42, 0, 0, 0))""") == f"-{errno.ENOSYS} ENOSYS"


def test_an_engine_on_tcp_is_refused_at_every_address_of_this_machine(place):
    server = Server(("0.0.0.0", 0), "engine", socket.AF_INET)
    port = server.socket.getsockname()[1]
    other = Server(("127.0.0.1", 0), "echo", socket.AF_INET)
    try:
        seen = place.run(f"""
            port, v6 = {port}, socket.AF_INET6
            print(*(reach((a, port), family=socket.AF_INET) for a in ('127.0.0.1', '127.9.9.9', '0.0.0.0')),
                  reach(('::ffff:127.0.0.1', port), family=v6), reach(('::ffff:0.0.0.0', port), family=v6))
            print(reach(('127.0.0.1', {other.socket.getsockname()[1]}), family=socket.AF_INET))
            s = socket.socket()
            for send in (lambda: s.sendto(b'x', 0x20000000, ('127.0.0.1', port)),
                         lambda: s.sendmsg([b'x'], [], 0x20000000, ('127.0.0.1', port))):
                try: send()
                except OSError as e: print(errno.errorcode[e.errno])""", options=["--guard", f"tcp:{port}"])
    finally:
        server.close()
        other.close()
    first, *rest = seen.split("\n")
    assert set(first.split()) == {"EACCES"} and rest == ["echo", "ENOTSUP", "ENOTSUP"], seen


def test_what_is_inherited_is_no_way_around(place):
    connected, (r, w) = socket.socket(socket.AF_UNIX), os.pipe()
    connected.connect(place.engine)
    argv = place.argv(sys.executable, "-c", f"""if 1:
        import os
        for fd in ({connected.fileno()}, {w}):
            try: os.fstat(fd); print('open')
            except OSError: print('closed')""")
    with connected, open(r), open(w, "w"):
        out = subprocess.run(argv, stdout=subprocess.PIPE, pass_fds=[connected.fileno(), w], text=True, timeout=30).stdout
    assert out == "closed\nopen\n"


def test_other_processes_of_the_user_are_out_of_reach(place):
    outside = subprocess.Popen([*place.prefix, "sleep", "100"], preexec_fn=end_with_parent)
    try:
        seen = place.run(f"""
            for pid in ({outside.pid}, os.getppid()):
                try: os.open(f'/proc/{{pid}}/mem', os.O_RDWR); print('opened')
                except OSError as e: print(errno.errorcode[e.errno] in ('EACCES', 'EPERM'))
                p = syscall(434, pid, 0)
                print(syscall(101, 0x4206, pid, 0, 0), syscall(438, p, 0, 0))
                vec = ctypes.create_string_buffer(struct.pack('PL', ctypes.addressof(ctypes.create_string_buffer(8)), 8))
                print(syscall(311, pid, vec, 1, vec, 1, 0))""")
    finally:
        outside.kill()
        outside.wait()
    assert seen.split("\n") == ["True", "EPERM EPERM", "EPERM"] * 2


def test_a_process_that_may_not_be_looked_into_connects_nowhere(place):
    seen = place.run("libc.prctl(4, 0); print(reach(engine), reach(echo))")
    assert seen == ("EACCES EACCES" if place.prefix else "proxy echo")  # root may look


def test_without_its_supervisor_nothing_connects(place):
    script = "os.kill(os.getppid(), 9); time.sleep(0.3); print(reach(engine), reach(echo))"
    argv = place.argv(sys.executable, "-c", PRELUDE + script, place.path)
    child = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
    out, _ = child.communicate(timeout=20)
    assert child.returncode == -signal.SIGKILL and out == "ENOSYS ENOSYS\n"


def test_a_proxy_whose_name_leads_to_the_engine_is_not_used(place):
    os.unlink(place.proxy)
    os.symlink(place.engine, place.proxy)
    assert place.run("print(reach(engine), reach(echo))") == "EACCES echo"


def test_a_command_of_root_that_has_become_another_has_that_ones_permissions(folder):
    place = Place(os.path.join(folder, f"run{time.monotonic_ns()}"), "root")
    os.chmod(place.echo, 0o600)
    try:
        assert place.run("""
            print(reach(echo), flush=True)
            if os.fork() == 0:
                os.setgroups([]); os.setgid(65534); os.setuid(65534)
                print(reach(echo), reach(engine), flush=True); os._exit(0)
            os.wait()
            print(reach(echo))""").split() == ["echo", "EACCES", "proxy", "echo"]
    finally:
        place.stop()
        shutil.rmtree(place.path)


def test_many_at_once_are_all_served(place):
    assert place.run("""
        seen = []
        for _ in range(8):
            r, w = os.pipe()
            if os.fork() == 0:
                words = []
                ts = [threading.Thread(target=lambda: [words.append(reach(echo if i % 2 else engine)) for i in range(10)])
                      for _ in range(8)]
                for t in ts: t.start()
                for t in ts: t.join()
                os.write(w, ' '.join(words).encode()); os._exit(0)
            os.close(w); seen.append(r)
        words = ' '.join(os.read(r, 1 << 16).decode() for r in seen).split()
        print(len(words), words.count('echo'), words.count('proxy'))""") == "640 320 320"


def test_a_full_backlog_holds_up_nobody_else_and_ends_with_its_process(place):
    full = socket.socket(socket.AF_UNIX)
    full.bind(place.path + "/full.sock")
    os.chmod(place.path + "/full.sock", 0o666)
    full.listen(0)
    start = time.monotonic()
    assert place.run("""
        full = place + '/full.sock'
        first = socket.socket(socket.AF_UNIX); first.connect(full)
        for _ in range(20):
            if os.fork() == 0:
                reach(full); os._exit(0)
        time.sleep(0.5)
        s = socket.socket(socket.AF_UNIX); s.setblocking(False)
        print(reach(full, s), reach(echo), reach(engine))
        import signal
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        for p in open(f'/proc/self/task/{os.getpid()}/children').read().split(): os.kill(int(p), signal.SIGKILL)
        for _ in range(20): os.wait()
        print(reach(echo))""").split() == ["EAGAIN", "echo", "proxy", "echo"]
    assert time.monotonic() - start < 15
    full.close()


def test_a_blocked_connect_goes_on_when_there_is_room(place):
    slow = socket.socket(socket.AF_UNIX)
    slow.bind(place.path + "/slow.sock")
    os.chmod(place.path + "/slow.sock", 0o666)
    slow.listen(0)

    def accept_late():
        time.sleep(1)
        for _ in range(2):
            with slow.accept()[0] as connection:
                connection.sendall(b"late")
    late = threading.Thread(target=accept_late)
    late.start()
    assert place.run("""
        a = socket.socket(socket.AF_UNIX); a.connect(place + '/slow.sock')
        print(reach(place + '/slow.sock'), a.recv(9).decode())""") == "late late"
    late.join()
    slow.close()


@pytest.mark.parametrize("command, status", [("exit 7", 7), ("kill -9 $$", 137), ("kill -TERM $$", 143), ("true", 0)])
def test_the_exit_status_is_the_commands(place, command, status):
    assert subprocess.run(place.argv("sh", "-c", command), timeout=20).returncode == status


def test_exit_statuses_of_its_own(place):
    run = [*place.prefix, place.sockgate, "run"]

    def status(*argv):
        return subprocess.run([*run, *argv], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=20).returncode
    assert status("--help") == 0
    assert status() == status("--nonsense", "true") == status("--guard", "relative", "true") == 2
    assert status("--no-redirect", "--policy", "x", "true") == status("--engine", "unix:/x", "true") == 2
    assert status("--", "/nothing/here") == 127 and status("--", "/etc/passwd") == 126
    assert status("--", place.sockgate, "run", "true") == 3
    assert status("--policy", "readonly", "true") == 2  # there is no proxy beside this copy


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1])
def test_signals_are_passed_on(place, number):
    child = subprocess.Popen(place.argv("sh", "-c", f"trap 'echo got; exit 3' {int(number)}; echo on; while :; do sleep 0.1; done"),
                             stdout=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "on\n"
    child.send_signal(number)
    out, _ = child.communicate(timeout=20)
    assert (child.returncode, out) == (3, "got\n")


def test_a_terminal_is_the_commands(place):
    """Ctrl-C reaches it once; Ctrl-Z stops both, and an interactive shell goes on with it in the foreground."""
    pid, master = pty.fork()
    if pid == 0:
        os.environ.update(PS1="$ ", ENV="", TERM="dumb")
        os.execvp("bash", ["bash", "--norc", "--noediting", "-i"])

    def expect(pattern):
        nonlocal seen
        end = time.monotonic() + 15
        while not (match := re.search(pattern, seen)):
            assert select.select([master], [], [], max(0, end - time.monotonic()))[0], (pattern, seen)
            seen += os.read(master, 4096).decode()
        seen = seen[match.end():]
    seen = ""
    inner = "trap 'echo I''NT' INT; echo r''eady; while read x; do echo \"<$x>\"; done; echo d''one"
    expect(r"\$ ")
    os.write(master, (" ".join(f"'{a}'" for a in place.argv("sh", "-c")) + " " + json.dumps(inner).replace("$", "\\$") + "\n").encode())
    expect("ready")
    os.write(master, b"hello\n")
    expect("<hello>")
    os.write(master, b"\x1a")
    expect("Stopped")
    os.write(master, b"fg\n")
    expect("run")
    os.write(master, b"again\n")
    expect("<again>")
    os.write(master, b"\x03")
    expect("INT")
    os.write(master, b"\x04")
    expect("done")
    assert "INT" not in seen
    os.write(master, b"exit 0\n")
    assert os.waitpid(pid, 0)[1] == 0
    os.close(master)


def test_the_docker_command_line_and_curl_land_on_the_proxy(engine, proxies):
    """They name the engine's socket and talk to a proxy: the one that serves there, and one of the run's own."""
    proxy = proxies(engine.socket, policy="readonly")
    tree = engine.docker()
    env = {**tree.env, "SOCKGATE_POLICY_DIR": os.path.join(ROOT, "policies")}
    for how in (["--redirect", proxy.socket], ["--policy", "readonly", "--engine", f"unix:{engine.socket}"]):
        def within(*command, options=how):
            return subprocess.run([SOCKGATE, "run", "--guard", engine.socket, *options, "--", *command], env=env,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)
        listed = within(tree.program, "ps", "-a")
        assert listed.returncode == 0 and listed.stdout.startswith("CONTAINER ID"), listed
        denied = within(tree.program, "run", "--rm", "bb:latest", "true")
        assert denied.returncode != 0 and "sockgate" in denied.stderr, denied
        curl = within("curl", "-s", "--unix-socket", engine.socket, "http://d/_ping")
        assert (curl.returncode, curl.stdout) == (0, "OK"), curl
        curl = within("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-X", "POST", "--unix-socket", engine.socket,
                      "http://d/containers/create")
        assert curl.stdout == "403", curl
    refused = within("curl", "-s", "--unix-socket", engine.socket, "http://d/_ping", options=["--no-redirect"])
    assert refused.returncode == 7 and refused.stdout == ""
    assert subprocess.run([tree.program, "run", "--rm", "bb:latest", "true"], env=env, timeout=60).returncode == 0


def test_what_a_connection_costs(place, capsys):
    code = """
        costs = []
        for _ in range(2000):
            s = socket.socket(socket.AF_UNIX)
            t = time.perf_counter_ns(); s.connect(echo); costs.append(time.perf_counter_ns() - t); s.close()
        print(sorted(costs)[1000])"""
    within = int(place.run(code))
    plain = int(subprocess.run([*place.prefix, sys.executable, "-c", PRELUDE + textwrap.dedent(code), place.path],
                               stdout=subprocess.PIPE, check=True, timeout=60).stdout)
    with capsys.disabled():
        print(f"\nsockgate run: a connect takes {within / 1000:.1f} us (median), without {plain / 1000:.1f} us")
    assert within > 0 and plain > 0

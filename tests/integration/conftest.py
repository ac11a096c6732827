# SPDX-License-Identifier: BSD-2-Clause
"""What the integration tests stand on: engines, proxies in front of them, and a recording stub."""
import os
import shutil
import signal
import tempfile

import pytest

pytest.register_assert_rewrite("lab.same", "lab.wire", "lab.docker")

from lab.engine import Engine, suites
from lab.proxy import Proxy
from lab.same import Same
from stub_engine import StubEngine

# A shell that starts this in the background has SIGINT ignored, and so would every program that a test interrupts.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGTERM, signal.default_int_handler)  # a run that is ended stops what it started as well


@pytest.fixture(scope="session")
def folder():
    path = tempfile.mkdtemp(prefix="sockgate-")  # short: a Unix socket's name has 107 bytes
    os.chmod(path, 0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="session", params=suites())
def engine(request, folder):
    """A private engine, once for each release under test."""
    engine = Engine(request.param, folder, os.environ["SOCKGATE_TEST_IMAGE"])
    try:
        engine.start()
        engine.import_image()
        yield engine
    finally:
        engine.stop()


@pytest.fixture(scope="session")
def unrestricted(engine, folder):
    """A proxy that allows everything, which must make no difference."""
    proxy = Proxy(folder, engine.socket)
    yield proxy
    proxy.stop()


@pytest.fixture
def same(engine, unrestricted):
    """Runs a scenario against the engine and through the proxy, and holds the two against each other."""
    return Same(engine, unrestricted)


@pytest.fixture
def proxies(folder):
    """Starts proxies as a test wants them: proxies(socket, policy=..., env=..., listen=...)."""
    running = []

    def start(socket, **how):
        running.append(Proxy(folder, socket, **how))
        return running[-1]

    yield start
    for proxy in running:
        proxy.stop()


@pytest.fixture
def stub(folder):
    """An engine that records every byte and answers what the test tells it to."""
    engine = StubEngine(folder)
    yield engine
    engine.stop()

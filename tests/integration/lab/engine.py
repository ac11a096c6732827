# SPDX-License-Identifier: BSD-2-Clause
"""Private engines: started from an unpacked Debian package, with everything they own in one folder."""
import os
import signal
import subprocess

from lab import wire
from lab.child import end_with_parent
from lab.docker import Docker

HERE = os.path.dirname(os.path.abspath(__file__))
CACHE = os.environ.get("SOCKGATE_CACHE", os.path.expanduser("~/.cache/sockgate"))


def suites():
    """The engines that `run` found to work here, by the Debian release they come from."""
    return os.environ["SOCKGATE_ENGINES"].split()


class Engine:
    def __init__(self, suite, folder, image):
        self.suite, self.folder = suite, os.path.join(folder, suite)
        self.tree = os.path.join(CACHE, suite)
        self.socket = os.path.join(self.folder, "docker.sock")
        self.image = image
        self.process = None

    def start(self):
        os.makedirs(self.folder, exist_ok=True)
        with open(os.path.join(self.folder, "log"), "ab") as log:
            self.process = subprocess.Popen([os.path.join(HERE, "dockerd"), self.tree, self.folder],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                                            preexec_fn=end_with_parent)
        wire.until(self._answers, 30, f"start of the engine of {self.suite}, see {self.folder}/log,")

    def _answers(self):
        assert self.process.poll() is None, f"the engine ended, see {self.folder}/log"
        try:
            return wire.ask(self.socket, "GET", "/_ping").body == b"OK"
        except OSError:
            return False

    def stop(self):
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        finally:
            self.process.kill()
            self.process.wait()
            self.process = None

    def import_image(self):
        with open(self.image, "rb") as tar:
            done = self.docker().run("import", "--change", 'CMD ["sh"]', "-", "bb:latest", stdin=tar)
        assert done.code == 0, done

    def docker(self, socket=None):
        """The engine's own command line, for its own socket or for one that leads to it."""
        return Docker(self.tree, socket or self.socket, self.folder)

    def clean(self):
        """Removes what a scenario left, so that the next one finds what this one found."""
        client = wire.Client(self.socket)
        for row in client.json("GET", "/containers/json?all=1"):
            client.json("DELETE", f"/containers/{row['Id']}?force=1&v=1")
        for row in client.json("GET", "/images/json"):
            if "bb:latest" not in (row.get("RepoTags") or []):
                client.json("DELETE", f"/images/{row['Id']}?force=1")
            for tag in row.get("RepoTags") or []:
                if tag not in ("bb:latest", "<none>:<none>") and "bb:latest" in row["RepoTags"]:
                    client.json("DELETE", f"/images/{tag}")
        for row in client.json("GET", "/volumes")["Volumes"] or []:
            client.json("DELETE", f"/volumes/{row['Name']}")
        for row in client.json("GET", "/networks"):
            if row["Name"] not in ("bridge", "host", "none"):
                client.json("DELETE", f"/networks/{row['Id']}")
        client.close()

# SPDX-License-Identifier: BSD-2-Clause
"""The same scenario twice, directly and through a proxy; the outcome must be the same once ids and times are gone."""
import re

VARIES = (
    # Docker's CLI (20.10, waitExitOrRemoved) says so of its own cancelled wait, or ends before it comes to that.
    (re.compile(r'time="[^"]*" level=error msg="error waiting for container: context canceled"\n'), ""),
    (re.compile(r"\b[0-9a-f]{64}\b"), "<id>"),
    (re.compile(r"\b[0-9a-f]{12}\b"), "<id>"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[.\d]*(Z|[+-]\d\d:?\d\d)"), "<time>"),
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d( [+-]\d{4})?( [A-Z]{3,4})?"), "<time>"),
    (re.compile(r"(Less than|About) an? \w+|(About )?\d+ (second|minute|hour)s?"), "<while>"),
    (re.compile(r"\b\d+(\.\d+)?m?s\b"), "<while>"),
    (re.compile(r" +"), " "),  # columns are as wide as what was in them
)


def plain(value):
    """A value without what differs between two runs of the same thing."""
    if isinstance(value, str):
        for pattern, word in VARIES:
            value = pattern.sub(word, value)
        return value
    if isinstance(value, tuple):
        return tuple(plain(part) for part in value)
    if isinstance(value, list):
        return [plain(part) for part in value]
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    return value


class Same:
    def __init__(self, engine, proxy):
        self.engine, self.proxy = engine, proxy

    def __call__(self, scenario):
        """Returns what both runs of scenario(docker) came to."""
        outcomes = []
        for socket in (self.engine.socket, self.proxy.socket):
            try:
                outcomes.append(scenario(self.engine.docker(socket)))
            finally:
                self.engine.clean()
        direct, proxied = map(plain, outcomes)
        assert proxied == direct
        return outcomes[1]

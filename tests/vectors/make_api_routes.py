#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes api_routes.inc from api_surface.jsonl, for tests that link no JSON parser.

    ROUTE(mux order, method, mux pattern, example path, section, repeated or single query keys)
    NO_ROUTE(method, path)

An example has "web/a" for a parameter that spans slashes and "web" for one that does not. Rows without a
mux_order are no routes of a daemon; those with an HTTP method become NO_ROUTE.
"""

import json
import os
import re
import sys

here = os.path.dirname(os.path.abspath(__file__))


def example(pattern):
    return re.sub(r"\{[^}]*\}", lambda m: "web/a" if ":." in m.group(0) else "web", pattern)


def query_keys(row):
    keys = []
    for parameter in row.get("all_params", []):
        kind, _, name = parameter.partition(":")
        if kind == "query":
            keys.append(name.split("@")[0])
    return " ".join(keys)


def main():
    with open(os.path.join(here, "api_surface.jsonl"), encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    out = ["/* SPDX-License-Identifier: BSD-2-Clause */", "/* Made by make_api_routes.py; do not edit. */"]
    for row in rows:
        if row.get("mux_order") is not None:
            out.append('ROUTE(%d, %s, "%s", "%s", %s, "%s")' % (
                row["mux_order"], row["method"], row["mux_pattern"], example(row["mux_pattern"]),
                "OPTIONS" if row["method"] == "OPTIONS" else row["tecnativa"] or row["category"], query_keys(row)))
        elif re.fullmatch("[A-Z]+", row["method"]):
            out.append('NO_ROUTE(%s, "%s")' % (row["method"], re.sub(r"[{(].*?[)}]", "web", row["path"])))
    with open(os.path.join(here, "api_routes.inc"), "w", encoding="utf-8") as target:
        target.write("\n".join(out) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

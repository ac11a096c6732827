# SPDX-License-Identifier: BSD-2-Clause
"""Closes a run: counts its tests from pytest's reports, in one plain line. A run without tests fails."""
import sys
import xml.etree.ElementTree as tree


def main(reports):
    suites = [tree.parse(report).getroot().find("testsuite") for report in reports]
    total, skipped, failures, errors = (sum(int(suite.get(word)) for suite in suites)
                                        for word in ("tests", "skipped", "failures", "errors"))
    failed = failures + errors
    passed = max(total - skipped - failed, 0)
    print(f"integration: {passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return failed > 0 or passed == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

# SPDX-License-Identifier: BSD-2-Clause
"""Medians, the ratios formed inside a round, and the table."""
from statistics import median

# What is compared, per kind of workload: key in loadgen's line, heading, what turns it into the unit shown.
SMALL = [("rps", "kreq/s", 1e-3), ("p50_us", "p50 µs", 1), ("p99_us", "p99 µs", 1), ("cpu_us", "CPU µs/req", 1)]
BULK = [("gib_per_s", "GiB/s", 1), ("cpu_s_per_gib", "CPU s/GiB", 1)]
IDLE = [("pss_rest_kib", "PSS rest KiB", 1), ("kib_per_stream", "KiB/stream", 1), ("left_open", "left open", 1)]
START = [("ms", "ms to first answer", 1)]
WORSE_IF_SMALLER = {"rps", "gib_per_s"}


def across_rounds(samples, key):
    return median(sample[key] for sample in samples)


def ratio(samples, base, key):
    """Median of the per-round quotients; None where the base was not measured or is nothing to divide by."""
    pairs = [(s[key], b[key]) for s, b in zip(samples, base) if b.get(key)]
    return median(a / b for a, b in pairs) if pairs else None


def summarise(measured, keys, bases):
    """measured: {peer: [sample of round 0, ...]} -> medians and ratios of every peer to each of `bases`."""
    result = {}
    for peer, samples in measured.items():
        entry = {key: across_rounds(samples, key) for key in keys}
        entry["ratios"] = {base: {key: ratio(samples, measured[base], key) for key in keys}
                           for base in bases if base in measured and base != peer}
        result[peer] = entry
    return result


def table(title, summary, columns, compared="sockgate"):
    """One workload as lines: a row a peer, then how `compared` stands against the others."""
    yield f"{title}"
    yield "  " + f"{'':18}" + "".join(f"{heading:>20}" for _, heading, _ in columns)
    for peer, entry in summary.items():
        yield f"  {peer:18}" + "".join(f"{entry[key] * scale:20.3f}" for key, _, scale in columns)
    for base, ratios in summary.get(compared, {}).get("ratios", {}).items():
        cells = ("-" if ratios[key] is None else f"x {ratios[key]:.2f}" for key, _, _ in columns)
        yield f"  {'÷ ' + base:18}" + "".join(f"{cell:>20}" for cell in cells)

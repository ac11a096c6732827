# SPDX-License-Identifier: BSD-2-Clause
"""Child processes that never outlive the tests, even when those are killed."""
import ctypes
import signal

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


def end_with_parent():
    """For Popen's preexec_fn: the kernel sends SIGTERM when the parent has gone."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)

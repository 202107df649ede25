"""Runs a command as a whole process tree: CPU seconds, wall seconds, peak memory.

Only the standard library, and nothing heavy in the process that imports it: on Linux a child's peak memory begins
at that of the process that started it.
"""
import os
import subprocess
import threading
import time
from dataclasses import dataclass

SAMPLE_SECONDS = 0.02
PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass
class Measured:
    exit_code: int
    cpu_seconds: float          # user and system, of the process and all it waited for
    wall_seconds: float
    process_bytes_max: int      # the largest single process, as the kernel counted it
    tree_bytes_max: int         # the sum over the tree, sampled: shared pages count in each
    stdout: str
    stderr: str


def run(command, **options):
    """Runs `command` to its end. Its output is collected, not shown."""
    started = time.monotonic()
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)
    peak = [0]
    ended = threading.Event()
    texts = {}
    threads = [
        threading.Thread(target=lambda: texts.update(out=child.stdout.read())),
        threading.Thread(target=lambda: texts.update(err=child.stderr.read())),
        threading.Thread(target=sample, args=(child.pid, peak, ended)),
    ]
    for thread in threads:
        thread.start()
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.monotonic() - started
    child.returncode = os.waitstatus_to_exitcode(status)
    ended.set()
    for thread in threads:
        thread.join()
    child.stdout.close()
    child.stderr.close()
    return Measured(child.returncode, usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss * 1024, peak[0],
                    texts["out"], texts["err"])


def sample(pid, peak, ended):
    while not ended.is_set():
        peak[0] = max(peak[0], tree_bytes(pid))
        ended.wait(SAMPLE_SECONDS)


def tree_bytes(pid):
    """Resident bytes of a process and of all below it, at this moment."""
    total, waiting = 0, [pid]
    while waiting:
        at = waiting.pop()
        try:
            with open(f"/proc/{at}/statm") as file:
                total += int(file.read().split()[1]) * PAGE
            for task in os.listdir(f"/proc/{at}/task"):
                with open(f"/proc/{at}/task/{task}/children") as file:
                    waiting += [int(child) for child in file.read().split()]
        except (OSError, IndexError):
            continue            # it ended in between
    return total

"""Run one function over many items, in this process or over local processes.

The one mechanism for work that splits into tasks (packing, so far), so that a cluster engine plugs in at one
place. Knows nothing of what the tasks do.
"""

import concurrent.futures
import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from vicinal.errors import VicinalError

__all__ = ["map_tasks", "n_processors"]

Item = TypeVar("Item")
Result = TypeVar("Result")


def n_processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def map_tasks(
    task: Callable[[Item], Result], items: Sequence[Item], *, n_processes: int = 1, chunk: int = 1
) -> Iterator[Result]:
    """Yield `task(item)` for each item, in the order of the items.

    Args:    task: importable and idempotent; its result must not depend on the process it runs in.
             items: what to do.  n_processes: 1 runs in this process.  chunk: items handed over at a time.
    Raises:  whatever `task` raises, for the first item that does.
             VicinalError: when a process was killed.
    """
    if n_processes <= 1 or len(items) <= 1:
        yield from map(task, items)
        return
    # "spawn": a forked child of a process with running threads (torch, BLAS) can deadlock.
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(n_processes, mp_context=context) as pool:
        try:
            yield from pool.map(task, items, chunksize=chunk)
        except BrokenProcessPool as error:
            raise VicinalError(
                "a worker process ended before its work was done. It was killed (too little memory?), or the script "
                "that calls Vicinal starts it at its top level: put the call under `if __name__ == '__main__':`."
            ) from error

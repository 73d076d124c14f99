"""Run one function over many items, in this process or over local processes.

The one mechanism for work that splits into tasks (packing, so far), so that a cluster engine plugs in at one
place. Knows nothing of what the tasks do.
"""

import concurrent.futures
import itertools
import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from vicinal.errors import VicinalError

__all__ = ["map_tasks", "n_processors", "refuse_unguarded_script"]

_UNGUARDED = "the script that calls Vicinal calls it at its top level: put the call under `if __name__ == '__main__':`."

Item = TypeVar("Item")
Result = TypeVar("Result")


def n_processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def map_tasks(
    task: Callable[[Item], Result], items: Sequence[Item], *, n_processes: int = 1
) -> Iterator[Result]:
    """Yield `task(item)` for each item, in the order of the items.

    At most two items a process are handed over and not yet yielded, so that a slow consumer holds the work
    back instead of filling memory with results.

    Args:    task: importable and idempotent; its result must not depend on the process it runs in.
             items: what to do.  n_processes: 1 runs in this process.
    Raises:  whatever `task` raises, for the first item that does.
             VicinalError: when a process was killed.
    """
    n_processes = min(n_processes, len(items))
    if n_processes <= 1:
        yield from map(task, items)
        return
    # "spawn": a forked child of a process with running threads (torch, BLAS) can deadlock.
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(
        n_processes, mp_context=context, initializer=_end_with_parent
    ) as pool:
        coming = iter(items)
        waiting: deque[concurrent.futures.Future[Result]] = deque()
        try:
            for item in itertools.islice(coming, 2 * n_processes):
                waiting.append(pool.submit(task, item))
            while waiting:
                result = waiting.popleft().result()
                for item in itertools.islice(coming, 1):
                    waiting.append(pool.submit(task, item))
                yield result
        except BrokenProcessPool as error:
            raise VicinalError(
                f"a worker process ended before its work was done. It was killed (too little memory?), or {_UNGUARDED}"
            ) from error
        finally:
            # Whoever stops early, by an error or Ctrl-C, waits for what is under way, not for what was handed over.
            pool.shutdown(wait=True, cancel_futures=True)


def refuse_unguarded_script() -> None:
    """Raise in a worker process that is not at work yet, but runs the script of the process that started it.

    Such a script would wait for what its own parent holds, which waits for it.

    Raises:  VicinalError: there.
    """
    # Python marks a process that is being started with this, and asks it for the same purpose.
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        raise VicinalError(_UNGUARDED)


def _end_with_parent() -> None:
    """Let this worker end when the process that started it was killed; it would wait for work for ever."""
    threading.Thread(target=_watch_parent, daemon=True).start()


def _watch_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)

import os
import select
import subprocess
import sys
from pathlib import Path

import pytest

from vicinal.errors import VicinalError
from vicinal.execution import map_tasks, n_processors


def square(x: int) -> int:
    if x == 13:
        raise ValueError("unlucky")
    return x * x


def test_results_come_in_order() -> None:
    assert list(map_tasks(square, [3, 1, 2])) == [9, 1, 4]


@pytest.mark.slow
def test_processes_give_the_same_results() -> None:
    items = list(range(12))
    assert list(map_tasks(abs, items, n_processes=2)) == items


def test_the_first_error_is_raised() -> None:
    with pytest.raises(ValueError, match="unlucky"):
        list(map_tasks(square, [1, 13, 2]))


@pytest.mark.slow
def test_a_killed_process_is_one_clear_error() -> None:
    with pytest.raises(VicinalError, match="a worker process ended"):
        list(map_tasks(os._exit, [9, 9, 9], n_processes=2))


def test_there_is_a_processor() -> None:
    assert n_processors() >= 1


BOUNDED = """
import sys
from pathlib import Path
from vicinal.execution import map_tasks

def touch(k):
    Path(sys.argv[1], str(k)).touch()
    return k

if __name__ == "__main__":
    results = map_tasks(touch, list(range(40)), n_processes=2)
    for k in range(5):
        assert next(results) == k
    # Five were yielded and at most four more handed over, whatever time the workers have.
    assert max(int(path.name) for path in Path(sys.argv[1]).iterdir()) <= 8
    assert list(results) == list(range(5, 40))
"""


@pytest.mark.slow
def test_a_slow_consumer_holds_the_work_back(tmp_path: Path) -> None:
    (tmp_path / "seen").mkdir()
    (tmp_path / "program.py").write_text(BOUNDED)
    command = [sys.executable, str(tmp_path / "program.py"), str(tmp_path / "seen")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


ORPHANED = """
import os, signal
from vicinal.execution import map_tasks

def pid(k):
    return os.getpid()

if __name__ == "__main__":
    results = map_tasks(pid, list(range(40)), n_processes=2)
    print(next(results), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.slow
@pytest.mark.skipif(
    not hasattr(os, "pidfd_open"), reason="waits for a process that is not a child of this one"
)
def test_workers_end_with_the_process_that_was_killed(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(ORPHANED)
    done = subprocess.run(
        [sys.executable, str(tmp_path / "program.py")], stdout=subprocess.PIPE, text=True, check=False
    )
    assert done.returncode == -9
    try:
        handle = os.pidfd_open(int(done.stdout))
    except ProcessLookupError:
        return
    try:
        assert select.select([handle], [], [], 30)[0], "a worker is still there"
    finally:
        os.close(handle)

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from vicinal.errors import FormatError, PathError
from vicinal.inputs import packing
from vicinal.inputs.contract import Contract
from vicinal.inputs.datasets import synthetic
from vicinal.inputs.datasets.catalogue import Catalogue, Recording
from vicinal.inputs.pack import Pack
from vicinal.inputs.packing import fingerprint, write_pack
from vicinal.inputs.prepare import prepare
from vicinal.inputs.storage import Storage
from vicinal.signal import Events, Signal

FILES = ("samples.bin", "manifest.parquet", "skipped.json", "pack.json")
CONTRACT = Contract(channels=("ECG",), rate_hz=100, duration_s=2, units="mV")


def recording(name: str, **options: object) -> Recording:
    return Recording(id=name, path=None, subject=f"s{name}", group=f"s{name}", labels=("N",), **options)  # type: ignore[arg-type]


def catalogue(*recordings: Recording, **options: object) -> Catalogue:
    return Catalogue(name="made", classes=("N", "A"), recordings=recordings, has_subjects=True, **options)  # type: ignore[arg-type]


def read(one: Recording) -> Signal:
    """Make the signal that the id names: its seed, its length, or what is wrong with it."""
    if one.id == "missing":
        raise PathError("missing.csv does not exist.")
    n = 150 if one.id == "short" else 200
    samples = np.random.default_rng(one.seed).normal(size=(1, n)).astype(np.float32)
    if one.id == "flat":
        samples[:] = 1
    unit = "furlong" if one.id == "odd" else "uV" if one.id == "micro" else "mV"
    return Signal(samples=samples, channels=("ECG",), units=(unit,), rate_hz=100.0, id=one.id)


def pack(folder: Path, *recordings: Recording, **options: object) -> Pack:
    made = catalogue(*recordings)
    truth = np.eye(2)[np.arange(len(recordings)) % 2]
    return write_pack(
        folder, catalogue=made, read=read, contract=CONTRACT, classes=("N", "A"), truth=truth, **options
    )  # type: ignore[arg-type]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def part_of(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.part")


GOOD = (recording("a", seed=1), recording("micro", seed=2), recording("short", seed=3), recording("flat"))


def test_rows_are_what_prepare_gives_to_the_bit(tmp_path: Path) -> None:
    made = pack(tmp_path / "p", *GOOD)
    assert len(made) == 4
    x, lengths = made.rows(np.array([2, 0, 1]))
    assert x.dtype == np.float32
    assert lengths.tolist() == [150, 200, 200]
    for row, length, one in zip(x, lengths, (GOOD[2], GOOD[0], GOOD[1]), strict=True):
        expected = prepare(read(one), CONTRACT)
        assert row.tobytes() == expected.samples.tobytes()
        assert length == expected.length
    assert not x[0, :, 150:].any()
    x[:] = 7  # a copy: the pack stays as it is
    made.verify()


def test_without_subjects_there_are_none(tmp_path: Path) -> None:
    one = Recording(id="a", path=None, subject=None, group="a", labels=("N",), seed=1)
    made = Catalogue(name="made", classes=("N",), recordings=(one,), has_subjects=False, notes=("one each",))
    found = write_pack(
        tmp_path / "p", catalogue=made, read=read, contract=CONTRACT, classes=("N",), truth=np.ones((1, 1))
    )
    assert found.subjects is None
    assert found.notes == ("one each",)


def test_unknown_truth_stays_unknown(tmp_path: Path) -> None:
    made = write_pack(
        tmp_path / "p",
        catalogue=catalogue(GOOD[0]),
        read=read,
        contract=CONTRACT,
        classes=("N", "A"),
        truth=np.array([[1.0, np.nan]]),
    )
    np.testing.assert_array_equal(made.truth, [[1.0, np.nan]])


def test_flat_channels_are_counted(tmp_path: Path) -> None:
    assert pack(tmp_path / "p", *GOOD).n_flat.tolist() == [0, 0, 0, 1]


def test_skipped_recordings_are_listed_with_the_reason(tmp_path: Path) -> None:
    rows = (recording("missing"), GOOD[0], recording("odd"), GOOD[1])
    done: list[tuple[int, int]] = []
    made = pack(tmp_path / "p", *rows, max_skipped=0.5, progress=lambda k, n: done.append((k, n)))
    assert made.ids.tolist() == ["a", "micro"]
    assert made.truth.tolist() == [[0, 1], [0, 1]]
    assert [name for name, _ in made.skipped] == ["missing", "odd"]
    assert "furlong" in made.skipped[1][1]
    assert done[-1] == (4, 4)


def test_too_many_skipped_recordings_fail_and_leave_nothing(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"1 of 2 recordings cannot be used.*\n  missing: missing.csv"):
        pack(tmp_path / "p", GOOD[0], recording("missing"))
    with pytest.raises(FormatError, match="1 of 1 recordings cannot be used"):
        pack(tmp_path / "p", recording("missing"), max_skipped=1.0)
    assert list(tmp_path.iterdir()) == []


def test_what_the_catalogue_left_out_counts_as_skipped(tmp_path: Path) -> None:
    made = catalogue(GOOD[0], skipped=(("b", "no label"),))
    options = {"read": read, "contract": CONTRACT, "classes": ("N",), "truth": np.ones((1, 1))}
    with pytest.raises(FormatError, match="1 of 2 recordings cannot be used"):
        write_pack(tmp_path / "p", catalogue=made, **options)  # type: ignore[arg-type]
    found = write_pack(tmp_path / "p", catalogue=made, max_skipped=0.5, **options)  # type: ignore[arg-type]
    assert found.skipped == (("b", "no label"),)


def test_a_pack_is_never_written_over(tmp_path: Path) -> None:
    first = pack(tmp_path / "p", *GOOD)
    with pytest.raises(PathError, match="exists and is not empty"):
        pack(tmp_path / "p", GOOD[0])
    assert Pack.open(tmp_path / "p").hash == first.hash
    with pytest.raises(PathError, match="does not exist"):
        pack(tmp_path / "nowhere" / "p", GOOD[0])


def test_the_hash_says_what_is_inside(tmp_path: Path) -> None:
    first, same = pack(tmp_path / "p1", *GOOD), pack(tmp_path / "p2", *GOOD)
    assert first.hash == same.hash
    for name in FILES:
        assert (tmp_path / "p1" / name).read_bytes() == (tmp_path / "p2" / name).read_bytes()
    others = [
        pack(tmp_path / "p3", *GOOD[:3]),
        pack(tmp_path / "p4", recording("a", seed=9), *GOOD[1:]),
        pack(tmp_path / "p5", recording("z", seed=1), *GOOD[1:]),
    ]
    assert len({first.hash, *(other.hash for other in others)}) == 4


@pytest.mark.slow
def test_two_processes_give_the_same_pack_as_one(tmp_path: Path) -> None:
    made = synthetic.catalogue(n_subjects=150)
    contract = Contract(channels=("ECG",), rate_hz=100, duration_s=1, units="mV")
    packs = [
        write_pack(
            tmp_path / f"p{n}",
            catalogue=made,
            read=synthetic.read,
            contract=contract,
            classes=("N",),
            truth=np.ones((len(made.recordings), 1)),
            n_processes=n,
        )
        for n in (1, 2)
    ]
    assert packs[0].hash == packs[1].hash
    assert packs[0].ids.tolist() == [one.id for one in made.recordings]
    assert contents(tmp_path / "p1") == contents(tmp_path / "p2")


def test_int16_loses_no_more_than_is_stated(tmp_path: Path) -> None:
    exact = pack(tmp_path / "exact", *GOOD)
    half = pack(tmp_path / "half", *GOOD, storage=Storage(dtype="int16", max_error=0.001))
    assert half.storage.scale == 2.0**-9
    assert half.values.dtype == np.int16
    (x, lengths), (y, same) = exact.rows(np.arange(4)), half.rows(np.arange(4))
    assert y.dtype == np.float32
    assert lengths.tolist() == same.tolist()
    assert 0 < np.abs(x - y).max() <= 0.001
    assert not y[2, :, 150:].any()
    assert half.hash != exact.hash
    half.verify()


def test_values_that_int16_cannot_hold_fail_and_leave_nothing(tmp_path: Path) -> None:
    storage = Storage(dtype="int16", max_error=1e-5)
    with pytest.raises(
        FormatError, match=r"recording 'a': expected values within 0\.49.*max_error to [\d.e-]+ or"
    ):
        pack(tmp_path / "p", *GOOD, storage=storage)
    assert list(tmp_path.iterdir()) == []


def test_too_many_skipped_recordings_are_noticed_before_all_are_read(tmp_path: Path) -> None:
    bad = tuple(recording(f"odd{k}") for k in range(64))

    def refused(one: Recording) -> Signal:
        assert one.id.startswith("odd")
        raise PathError(f"{one.id} is not there.")

    options = {"read": refused, "contract": CONTRACT, "classes": ("N",), "truth": np.ones((68, 1))}
    with pytest.raises(FormatError, match=r"64 of the first 64 recordings cannot be used, .* 0\.02 of 68"):
        write_pack(tmp_path / "p", catalogue=catalogue(*bad, *GOOD), **options)  # type: ignore[arg-type]


def test_reasons_and_sources_hold_no_folder_of_this_machine(tmp_path: Path) -> None:
    (tmp_path / "data/sub").mkdir(parents=True)
    paths = [tmp_path / "data/sub/a.csv", tmp_path / "data/b.csv", tmp_path / "data/c.csv"]

    def unreadable(one: Recording) -> Signal:
        if one.id == "c":
            raise FormatError(f"{one.path}: damaged.")
        return read(one)

    rows = tuple(replace(recording(path.stem, seed=1), path=path) for path in paths)
    made = write_pack(
        tmp_path / "p", catalogue=catalogue(*rows), read=unreadable, contract=CONTRACT, classes=("N",),
        truth=np.ones((3, 1)), max_skipped=0.5,
    )  # fmt: skip
    assert made.sources.tolist() == ["sub/a.csv", "b.csv"]
    assert made.skipped == (("c", "c.csv: damaged."),)
    for data in contents(tmp_path / "p").values():
        assert str(tmp_path).encode() not in data


def beats(one: Recording) -> Signal:
    events = None if one.id == "none" else Events(np.array([3, 120, 250]), ("N", "V", "N"))
    return replace(read(one), samples=np.ones((1, 300), np.float32), events=events)


def test_events_are_packed_at_positions_of_the_row(tmp_path: Path) -> None:
    made = write_pack(
        tmp_path / "p", catalogue=catalogue(recording("a"), recording("none")), read=beats, contract=CONTRACT,
        classes=("V", "A"), truth=np.empty((2, 0)), task="events",
    )  # fmt: skip
    found = made.events(0)
    assert found is not None
    # The middle 2 of 3 s are kept: 50 positions go at either end.
    assert (found.positions.tolist(), found.symbols) == ([70], ("V",))
    assert made.events(1) is None
    assert made.truth.tolist() == [[1, 0], [0, 0]]
    assert made.counts == {"V": 1, "A": 0}
    assert made.task == "events"


def test_events_are_counted_by_the_class_of_their_symbols(tmp_path: Path) -> None:
    listed = replace(catalogue(recording("a"), recording("b")), event_classes=("S", "N"), class_of={"V": "S"})
    options = {"read": beats, "contract": CONTRACT, "classes": ("S", "N"), "truth": np.empty((2, 0))}
    made = write_pack(tmp_path / "p", catalogue=listed, task="events", **options)  # type: ignore[arg-type]
    assert made.class_of == {"V": "S"}
    assert made.counts == {"S": 2, "N": 0}
    assert made.truth.tolist() == [[1, 0], [1, 0]]
    targets = made.targets(np.array([1, 0]))
    assert (targets.rows.tolist(), targets.positions.tolist()) == ([1, 0], [70, 70])
    assert (targets.classes.tolist(), targets.symbols.tolist()) == ([0, 0], ["V", "V"])
    other = replace(listed, class_of={"V": "N"})
    again = write_pack(tmp_path / "q", catalogue=other, task="events", **options)  # type: ignore[arg-type]
    assert again.hash != made.hash
    assert fingerprint(other, **options) != fingerprint(listed, **options)  # type: ignore[arg-type]


def test_a_piece_is_a_stretch_of_a_row(tmp_path: Path) -> None:
    for dtype in ("float32", "int16"):
        made = pack(tmp_path / dtype, recording("a"), recording("b", seed=1), storage=Storage(dtype=dtype))
        x, lengths = made.rows(np.array([1]))
        piece = made.piece(1, 3, int(lengths[0]) - 2)
        assert (piece == x[0, :, 3 : int(lengths[0]) - 2]).all()
        piece[:] = 0
        assert (made.rows(np.array([1]))[0] == x).all()


def test_an_interrupt_leaves_what_the_next_call_goes_on_with(tmp_path: Path) -> None:
    recordings = tuple(recording(f"r{k}", seed=k) for k in range(150))
    undisturbed = pack(tmp_path / "u", *recordings)
    seen: list[str] = []

    def interrupted(one: Recording) -> Signal:
        seen.append(one.id)
        if len(seen) == 100:
            raise KeyboardInterrupt(one.id)
        return read(one)

    options = {"contract": CONTRACT, "classes": ("N", "A"), "truth": np.eye(2)[np.arange(150) % 2]}
    options |= {"catalogue": catalogue(*recordings), "read": interrupted}
    with pytest.raises(KeyboardInterrupt, match="r99"):
        write_pack(tmp_path / "p", **options)  # type: ignore[arg-type]
    assert [path.name for path in tmp_path.iterdir() if path.name != "u"] == [".p.part"]
    made = write_pack(tmp_path / "p", **options)  # type: ignore[arg-type]
    assert seen[100:] == [f"r{k}" for k in range(64, 150)]
    assert contents(made.folder) == contents(undisturbed.folder)
    assert not part_of(made.folder).exists()


def test_a_part_of_other_inputs_is_thrown_away(tmp_path: Path) -> None:
    part_of(tmp_path / "p").mkdir()
    (part_of(tmp_path / "p") / "journal.jsonl").write_text("of something else")
    (part_of(tmp_path / "p") / "samples.bin").write_bytes(b"1234")
    (part_of(tmp_path / "p") / ".pack.json.x.part").write_bytes(b"")
    pack(tmp_path / "p", *GOOD)
    pack(tmp_path / "q", *GOOD)
    assert contents(tmp_path / "p") == contents(tmp_path / "q")


def test_the_fingerprint_tells_inputs_apart(tmp_path: Path) -> None:
    path = tmp_path / "a.hea"
    path.write_text("1")
    one = replace(recording("a"), path=path)
    arguments = {"read": read, "contract": CONTRACT, "classes": ("N",), "truth": np.ones((1, 1))}

    def of(**changes: object) -> str:
        return fingerprint(**{"catalogue": catalogue(one), **arguments, **changes})  # type: ignore[arg-type]

    before = of()
    assert before == of()
    others = [
        of(truth=np.zeros((1, 1))),
        of(classes=("A",)),
        of(task="binary"),
        of(storage=Storage(dtype="int16")),
        of(read=beats),
        of(contract=CONTRACT.model_copy(update={"min_duration_s": 1.0})),
        of(catalogue=catalogue(replace(one, group="other"))),
        of(catalogue=catalogue(replace(one, columns={"age": 3.0}))),
        of(catalogue=catalogue(one, officials={"x": ("test",)})),
    ]
    (tmp_path / "a.dat").write_text("samples beside the header")
    others.append(of())
    assert len({before, *others}) == len(others) + 1


def test_official_splits_go_along(tmp_path: Path) -> None:
    parts = ("train", "unused", "test")
    rows = (GOOD[0], recording("missing"), GOOD[1])
    made = write_pack(
        tmp_path / "p", catalogue=catalogue(*rows, officials={"ds1-ds2": parts}), read=read, contract=CONTRACT,
        classes=("N",), truth=np.ones((3, 1)), max_skipped=0.5,
    )  # fmt: skip
    assert {name: column.tolist() for name, column in made.officials.items()} == {
        "ds1-ds2": ["train", "test"]
    }


PROGRAM = """
import os, random, resource, signal, sys
from pathlib import Path
import numpy as np
from vicinal.errors import PathError
from vicinal.inputs.contract import Contract
from vicinal.inputs.datasets import synthetic
from vicinal.inputs.packing import write_pack

folder = Path(sys.argv[1])
made = synthetic.catalogue(n_subjects=150, clips_per_subject=1)
contract = Contract(channels=("ECG",), rate_hz=100, duration_s=1, units="mV")

def go(name):
    return write_pack(folder / name, catalogue=made, read=synthetic.read, contract=contract, classes=("N",),
                      truth=np.ones((150, 1)))
"""

LIMITED = """
resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, resource.RLIM_INFINITY))
try:
    go("p")
except PathError as error:
    print(error)
print(sorted(path.name for path in folder.iterdir()))
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
go("p").verify()
"""

KILLED = """
def child(name, stop=None):
    '''Pack in a child that kills itself at Python call number `stop`; return how many calls there were.'''
    calls = 0
    def count(frame, event, argument):
        nonlocal calls
        calls += 1
        if calls == stop:
            os.kill(os.getpid(), signal.SIGKILL)
    reader, writer = os.pipe()
    process = os.fork()
    if process == 0:
        sys.setprofile(count)
        go(name)
        sys.setprofile(None)
        os.write(writer, str(calls).encode())
        os._exit(0)
    _, status = os.waitpid(process, 0)
    os.close(writer)
    with os.fdopen(reader) as answer:
        killed = os.WIFSIGNALED(status)
        assert killed or status == 0, status
        return None if killed else int(answer.read())

def contents(name):
    return {path.name: path.read_bytes() for path in (folder / name).iterdir()}

total, rng, kills = child("whole"), random.Random(0), 0
last = total - 2000  # from here on the manifest is written and the folder gets its name
for k in range(int(sys.argv[2])):
    name = str(k)
    for stop in [rng.randrange(total), rng.randrange(total)] if k % 2 else [rng.randrange(last, total)]:
        if not (folder / name).exists():
            kills += child(name, stop) is None
    if not (folder / name).exists():
        child(name)
    assert contents(name) == contents("whole"), (name, stop)
assert not list(folder.glob(".*")), list(folder.glob(".*"))
print(kills)
"""


BESIDE = """
from vicinal.inputs import packing

def claimed(folder, real=packing.claimed):
    '''Both have found the folder free before either goes on.'''
    os.write(1, b".")
    sys.stdin.readline()
    return real(folder)

packing.claimed = claimed
print(go("p").hash)
"""


def run_program(text: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM + text, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_a_full_disk_is_one_clear_error_and_the_same_call_goes_on(tmp_path: Path) -> None:
    error, left = run_program(LIMITED, str(tmp_path)).strip().splitlines()
    assert "File too large. What is packed so far is kept there" in error
    assert left == "['.p.part']"
    assert [path.name for path in tmp_path.iterdir()] == ["p"]


@pytest.mark.parametrize(
    "n", [pytest.param(5, marks=pytest.mark.slow), pytest.param(50, marks=pytest.mark.prove)]
)
def test_killed_anywhere_the_finished_pack_is_byte_identical(tmp_path: Path, n: int) -> None:
    assert int(run_program(KILLED, str(tmp_path), str(n))) >= n


@pytest.mark.slow
def test_a_script_without_a_main_guard_is_told_so_instead_of_waiting_for_itself(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(PROGRAM.replace("(150, 1)))", "(150, 1)), n_processes=2)") + 'go("p")')
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path)], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 1
    assert "put the call under `if __name__ == '__main__':`" in done.stderr


@pytest.mark.slow
def test_of_two_processes_on_one_folder_one_waits_for_the_other(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PROGRAM + BESIDE, str(tmp_path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    running = [subprocess.Popen(command, **pipes, text=True) for _ in range(2)]  # type: ignore[call-overload]
    for one in running:
        assert one.stdout.read(1) == "."
    for one in running:
        one.stdin.write("go\n")
        one.stdin.flush()
    hashes = [one.communicate()[0] for one in running]
    assert [one.returncode for one in running] == [0, 0]
    assert len(set(hashes)) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["p"]


LARGE = """
import os
from pathlib import Path
import numpy as np
from vicinal.signal import Signal

def peak():
    # `getrusage` counts what the process that started this one had.
    return int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])

def read(one):
    Path(one.path, str(os.getpid())).write_text(str(peak()))
    samples = np.full((12, 25_000), one.seed, np.float32)
    return Signal(samples=samples, channels=tuple("abcdefghijkl"), units=("mV",) * 12, rate_hz=500.0, id=one.id)
"""

MEASURED = """
import sys
from pathlib import Path
import numpy as np
from large_rows import peak, read
from vicinal.inputs.contract import Contract
from vicinal.inputs.datasets.catalogue import Catalogue, Recording
from vicinal.inputs.packing import write_pack

def go(name, n):
    peaks = Path(sys.argv[1]) / f"peaks of {name}"
    peaks.mkdir()
    rows = tuple(Recording(id=str(k), path=peaks, subject=None, group=str(k), labels=(), seed=k) for k in range(n))
    write_pack(Path(sys.argv[1]) / name, catalogue=Catalogue("large", ("N",), rows, False), read=read,
               contract=Contract(channels=tuple("abcdefghijkl"), rate_hz=500, duration_s=50, units="mV"),
               classes=("N",), truth=np.zeros((n, 1)), n_processes=2)
    return peak(), max(int(file.read_text()) for file in peaks.iterdir())

if __name__ == "__main__":
    # What an allocator keeps of the rows in work is there after some dozens of them.
    few, many = go("few", 64), go("many", 248)
    print(many[0] - few[0], many[1] - few[1], max(many))
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_the_pack(tmp_path: Path) -> None:
    (tmp_path / "large_rows.py").write_text(LARGE)
    (tmp_path / "measure.py").write_text(MEASURED)
    own, workers, most = measured(tmp_path)
    # 184 rows and 220 MB more: results, rows or a file that is held in memory would show.
    assert own < 30
    assert workers < 10
    assert most < 300


def measured(folder: Path) -> list[float]:
    """Return in MiB what this process and its workers grew by, and the largest of them."""
    command = [sys.executable, str(folder / "measure.py"), str(folder)]
    # A threshold that is given stays: otherwise glibc raises it as arrays are freed, keeps freed rows, and how many it
    # happens to keep differs from one time to the next. So the figures are of what is held.
    allocator = {"MALLOC_MMAP_THRESHOLD_": "131072", "MALLOC_ARENA_MAX": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | allocator)
    assert done.returncode == 0, done.stderr
    return [int(word) / 1024 for word in done.stdout.split()]


def test_another_preparation_makes_another_pack(monkeypatch: pytest.MonkeyPatch) -> None:
    def of() -> str:
        return fingerprint(
            catalogue(recording("a")), read=read, contract=CONTRACT, classes=("N",), truth=np.ones((1, 1))
        )

    before = of()
    monkeypatch.setattr(packing, "PREPARATION", packing.PREPARATION + 1)
    assert of() != before

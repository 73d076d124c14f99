"""Events from files to evidence: one small run on made-up records in the layout of MIT-BIH."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.workflow.test_evidence_schema import SCHEMA, problems
from tests.workflow.test_resuming import assert_as_if_never_stopped, in_a_process, kill_until_done

from vicinal.decisions.events import EventTimes, observed_days
from vicinal.errors import ContractError, ExperimentError, FormatError
from vicinal.experiment import load_experiment
from vicinal.inputs.datasets import mitdb
from vicinal.inputs.splits import Split
from vicinal.scores.model import Model
from vicinal.scores.score import score_paths
from vicinal.scoretable import ScoreTable
from vicinal.terminal import QUIET, Terminal
from vicinal.training.monitor import Monitor
from vicinal.workflow.asking import Asked
from vicinal.workflow.auditing import audit
from vicinal.workflow.comparing import compare
from vicinal.workflow.deciding import decide
from vicinal.workflow.evaluating import evaluate
from vicinal.workflow.gathering import gather
from vicinal.workflow.learning_events import validation_at_events, width_of
from vicinal.workflow.lesson import lesson_of_split
from vicinal.workflow.running import Run, run
from vicinal.workflow.scoring import score, trace
from vicinal.workflow.telling import tell_decision, tell_scores
from vicinal.workflow.telling_evaluation import tell_evaluation
from vicinal.workflow.varying import vary

CODES = {"N": 1, "V": 5, "A": 8, "e": 34, "+": 28}
RATE = 90
N = RATE * 40

TEXT = """
title = "Made-up beats"
[inputs]
dataset = "mitdb"
options = { view = "events", half = "both" }
task = "events"
classes = ["N", "S", "V"]
max_skipped = 0.9
[inputs.contract]
channels = ["MLII"]
rate_hz = 90
duration_s = 41
units = "mV"
steps = [
    { step = "events", symbols = ["N", "V", "A", "e"] },
    { step = "scale", by = "recording" },
    { step = "usual_event" },
    { step = "event_intervals" },
]
[inputs.split]
official = "ds1-ds2"
validation = 0.25
calibration = 0.2
[representations]
network = "conv 8 window 9 stride 3 same | norm | relu | residual 8 window 5 | conv classes window 1"
[training]
epochs = 30
select = "loss"
batch = 8
learning_rate = 1e-2
segment_s = 10
augment = [{ kind = "gain" }, { kind = "noise" }]
[evidence]
metrics = ["beats"]
resamples = 100
"""


def write_record(folder: Path, name: str, seed: int) -> None:
    """Forty seconds of one lead: V beats are wide, A beats early; half of the records begin with a rhythm note."""
    rng = np.random.default_rng(seed)
    symbols = rng.choice(list("NNNNNNVAe"), 45)
    gaps = np.where(symbols == "A", 45, 80) + rng.integers(-3, 4, 45)
    places = 40 + np.cumsum(gaps)
    symbols, places = symbols[places < N - 20], places[places < N - 20]
    t = np.arange(N)[:, None]
    width = np.where(symbols == "V", 7.0, 2.0)
    x = np.exp(-(((t - places) / width) ** 2)).sum(axis=1) + 0.02 * rng.standard_normal(N)
    (folder / f"{name}.dat").write_bytes((200 * x).astype("<i2").tobytes())
    (folder / f"{name}.hea").write_text(f"{name} 1 {RATE} {N}\n{name}.dat 16 200 16 0 0 0 0 MLII\n")
    pairs = [(5, "+"), *zip(places.tolist(), symbols.tolist(), strict=True)]
    steps = np.diff([0, *(place for place, _ in pairs)])
    words = [CODES[symbol] << 10 | step for (_, symbol), step in zip(pairs, steps.tolist(), strict=True)]
    (folder / f"{name}.atr").write_bytes(np.array([*words, 0], dtype="<u2").tobytes())


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mitdb")
    for seed, name in enumerate((*mitdb.DS1[:10], *mitdb.DS2[:4], "202")):
        write_record(folder, name, seed)
    return folder


@pytest.fixture(scope="module")
def experiment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("e") / "beats.toml"
    path.write_text(TEXT)
    return path


@pytest.fixture(scope="module")
def done(experiment: Path, data: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run(experiment, output=tmp_path_factory.mktemp("runs") / "beats", data=data)


def test_a_run_goes_from_files_to_evidence(done: Run) -> None:
    table = ScoreTable.read(done.folder / "scores" / "test.parquet")
    assert (table.task, table.role, table.classes) == ("classes", "test", ("N", "S", "V"))
    assert set(table.columns) >= {"record", "position_s", "symbol", "half"}
    assert set(table.columns["record"]) == {*mitdb.DS2[:4], "202"}
    assert table.subjects is not None
    assert table.n_subjects == 5
    record, at = table.columns["record"][7], table.columns["position_s"][7]
    assert table.ids[7] == f"{record}-{round(at * RATE)}"
    truth = {"N": 0, "e": 0, "A": 1, "V": 2}
    assert table.truth.argmax(axis=1).tolist() == [truth[one] for one in table.columns["symbol"]]
    # Wide beats and early ones are easy here: a network that read the wrong outputs could not tell them.
    metrics = done.evidence["metrics"]
    assert metrics["accuracy"]["value"] > 0.95
    assert metrics["beat_sensitivity[V]"]["value"] > 0.9
    assert (done.folder / "report.html").stat().st_size > 10_000
    assert "Of 1,000 beats," in done.evidence["meaning"]["sentence"]
    assert "people" not in done.evidence["meaning"]["sentence"]
    assert done.model is not None
    assert "at the beats of one recording" in done.model.card
    assert "each dot one of 1,000 beats" in (done.folder / "report.html").read_text()


def test_both_maps_and_all_rows_come_from_one_run(done: Run) -> None:
    metrics = done.evidence["metrics"]
    assert {"jk", "jk@strict", "jk@ec57", "jk@ec57-strict", "sensitivity[S]"} <= set(metrics)
    table = ScoreTable.read(done.folder / "scores" / "test.parquet")
    counts = {mark: np.array(one) for mark, one in done.evidence["beats"]["counts"].items()}
    n = {symbol: int((table.columns["symbol"] == symbol).sum()) for symbol in "NVAe"}
    assert n["e"] > 5
    assert counts["protocol"].sum(axis=1)[:3].tolist() == [n["N"] + n["e"], n["A"], n["V"]]
    assert counts["ec57"].sum(axis=1)[:3].tolist() == [n["N"], n["A"] + n["e"], n["V"]]
    assert counts["strict"].sum() < counts["protocol"].sum()
    assert done.evidence["protocol"]["positives"]["test"] == len(table)


def test_files_give_the_bits_of_the_pack(done: Run, data: Path) -> None:
    table = ScoreTable.read(done.folder / "scores" / "test.parquet")
    files = [data / f"{name}.hea" for name in dict.fromkeys(table.columns["record"].tolist())]
    scored = score(done.folder / "model.vicinal", files)
    assert scored.table.ids.tolist() == table.ids.tolist()
    assert (scored.table.logits == table.logits).all()
    assert (scored.table.columns["position_s"] == table.columns["position_s"]).all()
    assert np.isnan(scored.table.truth).all()
    assert scored.lines()[0][:4] == ["id", "record", "position_s", "symbol"]
    assert scored.lines()[1][1] == files[0].stem
    loaded = Model.load(done.folder / "model.vicinal")
    signals = [
        mitdb.read(one) for one in mitdb.catalogue(data).recordings if one.id in table.columns["record"]
    ]
    again = loaded.score(signals)
    order = np.argsort(again.ids), np.argsort(table.ids)
    assert (again.logits[order[0]] == table.logits[order[1]]).all()


def test_a_recording_without_events_is_refused(done: Run, data: Path, tmp_path: Path) -> None:
    model = Model.load(done.folder / "model.vicinal")
    for suffix in ("hea", "dat"):
        (tmp_path / f"100.{suffix}").write_bytes((data / f"100.{suffix}").read_bytes())
    with pytest.raises(
        FormatError, match=r"events: expected annotated events, got none \(put the annotation file"
    ):
        score_paths(model, [tmp_path / "100.hea"])
    table, skipped = score_paths(model, [tmp_path / "100.hea", data / "103.hea"])
    assert [name for name, _ in skipped] == [str(tmp_path / "100.hea")]
    assert set(table.columns["record"]) == {"103"}
    with pytest.raises(FormatError, match="this model answers at the events"):
        model.scorer().logits(np.zeros((1, 4, 41 * RATE), np.float32), np.array([N]))
    with pytest.raises(ContractError, match="answers at its events"):
        trace(done.folder / "model.vicinal", data / "100.hea")


def test_a_broken_run_goes_on_bit_for_bit(experiment: Path, data: Path, done: Run, tmp_path: Path) -> None:
    again = run(experiment, output=tmp_path / "again", data=data)
    scores = [ScoreTable.read(one.folder / "scores" / "test.parquet") for one in (done, again)]
    assert (scores[0].logits == scores[1].logits).all()


@pytest.mark.slow
@pytest.mark.parametrize("n", [2, pytest.param(20, marks=pytest.mark.prove)])
def test_killed_at_random_moments_a_run_on_events_ends_as_if_never_stopped(
    experiment: Path, data: Path, tmp_path: Path, n: int
) -> None:
    short = tmp_path / "beats.toml"
    short.write_text(experiment.read_text().replace("epochs = 30", "epochs = 2"))
    assert in_a_process(short, tmp_path / "whole", 0, data=data) == 0
    assert kill_until_done(short, tmp_path / "run", n=n, data=data) == n
    assert_as_if_never_stopped(tmp_path / "run", tmp_path / "whole")


def test_networks_are_compared_on_events(experiment: Path, data: Path) -> None:
    (one,) = vary(experiment, ["training.epochs=1"], data=data)
    assert 0 < one.row.auroc[0] <= 1
    with pytest.raises(ExperimentError, match="compare: expected a task on whole recordings"):
        compare(experiment, Asked(), data=data)


def test_a_segment_is_no_longer_than_the_contract(experiment: Path) -> None:
    found, _ = load_experiment(experiment)
    assert width_of(found.inputs.contract, found.training) == 10 * RATE
    longer = found.training.model_copy(update={"segment_s": 100.0})
    assert width_of(found.inputs.contract, longer) == 41 * RATE


def test_a_class_of_events_that_is_never_given_is_found(experiment: Path, data: Path) -> None:
    """A network whose last stage always prefers the first class."""
    found, _ = load_experiment(experiment)
    gathered = gather(found, data=data, show=QUIET, with_copies=False)
    lesson = lesson_of_split(found, gathered.pack, gathered.split)
    head = list(lesson.network.modules())[-1]
    with torch.no_grad():
        head.weight.zero_()
        head.bias.copy_(torch.tensor([5.0] + [0.0] * (len(gathered.pack.classes) - 1)))
    monitor, metrics = Monitor(), lesson.validate(lesson.network.eval())
    monitor.epoch(epoch=1, step=1, validation=metrics, select=lesson.config.select, best=True, seconds=0)
    (message,) = [one.message for one in monitor.findings if one.kind == "class never found"]
    assert all(name in message for name in gathered.pack.classes[1:])


def test_validation_needs_events(experiment: Path, data: Path) -> None:
    found, _ = load_experiment(experiment)
    pack = gather(found, data=data, show=QUIET, with_copies=False).pack
    with pytest.raises(ExperimentError, match="validation rows hold no event"):
        validation_at_events(pack, np.empty(0, np.int64), contract=pack.contract, engine=None, select="loss")  # type: ignore[arg-type]


def test_evidence_is_as_its_schema_says(done: Run) -> None:
    assert list(problems(json.loads((done.folder / "evidence.json").read_text()), SCHEMA)) == []


def test_alarms_per_day_are_aimed_at_on_events(
    done: Run, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "beats"
    shutil.copytree(done.folder, folder)
    with (folder / "experiment.toml").open("a") as experiment:
        experiment.write("[decisions]\naim = 'V: alarms <= 9 per day'\n[decisions.events]\nmerge_s = 1\n")
    decided = decide(folder, aim="S: alarms <= 20000 per day; V: alarms <= 25000 per day")
    policy, rows = decided.policy, ScoreTable.read(folder / "scores" / "calibration.parquet")
    assert (policy.kind, policy.role, policy.thresholds[0]) == ("alarms", "calibration", None)
    assert policy.events == EventTimes(merge_s=1)
    days = observed_days(rows.columns["record"], rows.columns["position_s"])
    found = policy.alarms(rows)
    assert 0 < len(found["S"]) <= 20000 * days
    assert 0 < len(found["V"]) <= 25000 * days
    # Evidence, report and terminal tell the alarms of the test rows, which fitted nothing.
    test = ScoreTable.read(folder / "scores" / "test.parquet")
    rate = decided.evidence["alarms"]["V"]
    assert (rate["n"], rate["n_subjects"]) == (len(policy.alarms(test)["V"]), 5)
    assert list(problems(json.loads((folder / "evidence.json").read_text()), SCHEMA)) == []
    page = (folder / "report.html").read_text()
    assert "Alarms along the recordings" in page
    assert "two at most 1 s apart are one" in page
    tell_decision(decided, Terminal())
    assert f"Alarms of V: {rate['n']} in" in capsys.readouterr().out
    # The file decides so from now on: rows by class, and alarms along each recording.
    files = [data / f"{name}.hea" for name in dict.fromkeys(test.columns["record"].tolist())]
    scored = score(folder / "model.vicinal", files)
    assert scored.decisions is not None
    assert (scored.decisions == policy.decide(test.probabilities)).all()
    listed = [one for one in scored.to_dict()["alarms"] if one["class"] == "V"]
    assert len(listed) == rate["n"]
    assert scored.to_dict()["observed_days"] == pytest.approx(rate["days"])
    tell_scores(scored, Terminal())
    assert f"alarms of V: {rate['n']} in" in capsys.readouterr().out
    assert [one for one in audit(folder, data=data, show=QUIET).findings if one.severity == "leak"] == []
    # Every class but the usual one, where none is named; and back to the largest probability.
    assert decide(folder, aim="alarms <= 25000 per day").policy.aim == (
        "S: alarms <= 25000 per day; V: alarms <= 25000 per day"
    )
    assert decide(folder, aim="argmax").policy.events is None


def test_a_model_of_events_is_evaluated_on_records_it_has_never_seen(
    done: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = tmp_path / "new"
    new.mkdir()
    for seed, name in enumerate(("100", "103", "105")):
        write_record(new, name, 50 + seed)
    (new / "105.atr").unlink()
    lines = ["file,label,patient", "100,x,p1", "103,x,p2", "105,y,p3"]
    (new / "labels.csv").write_text("\n".join(lines))
    found = evaluate([done.folder], data=new, metrics=["beats"], output=tmp_path / "out", resamples=100)
    table = ScoreTable.read(tmp_path / "out" / "scores.parquet")
    scored, skipped = score_paths(
        Model.load(done.folder / "model.vicinal"), [new / "100.hea", new / "103.hea"]
    )
    assert skipped == []
    assert table.ids.tolist() == scored.ids.tolist()
    assert (table.logits == scored.logits).all()
    # A symbol is its own class here: A and e are no class of the model, so their truth is not known.
    known = ~np.isnan(table.truth).any(axis=1)
    assert set(table.columns["symbol"][known]) == {"N", "V"}
    assert set(table.columns["symbol"][~known]) == {"A", "e"}
    (fitness,), (evidence,) = found.fitness, found.evidence
    assert [name for name, _ in fitness.refused] == ["105"]
    assert fitness.known is not None
    assert sum(fitness.known.values()) == 0
    assert evidence["metrics"]["sensitivity[V]"]["value"] > 0.9
    assert "Of 1,000 events," in evidence["meaning"]["sentence"]
    assert list(problems(evidence, SCHEMA)) == []
    tell_evaluation(found, Terminal())
    assert "None of the 3 recordings is" in " ".join(capsys.readouterr().out.split())
    with pytest.raises(ExperimentError, match="the answers of this network are about single events"):
        evaluate([done.folder], data=new, robustness=["gain"])


def test_records_that_trained_a_model_of_events_are_known_and_two_models_meet_the_same_events(
    done: Run, experiment: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(data, tmp_path / "store" / "mitdb")
    monkeypatch.setenv("VICINAL_DATA", str(tmp_path / "store"))
    other = run(experiment, output=tmp_path / "other", data=data, overrides=["training.epochs=1"])
    found = evaluate([done.folder, other.folder], data=experiment, resamples=100)
    split = Split.read(done.folder / "split.parquet")
    n = {part: len(split.indices(part)) for part in ("train", "validation", "calibration")}
    assert found.fitness[0].known == found.fitness[1].known == n
    assert {"auroc", "accuracy"} <= set(found.differences)


def test_the_learning_curve_of_a_task_on_events(experiment: Path, data: Path, tmp_path: Path) -> None:
    overrides = ["training.epochs=2", "evidence.learning_curve=[0.5]"]
    made = run(experiment, output=tmp_path / "run", data=data, overrides=overrides)
    points = made.evidence["learning_curve"]["points"]
    assert [point["share"] for point in points] == [0.5, 1.0]
    assert all(point.get("value") is not None for point in points)
    assert points[0]["n"] == points[1]["n"] == made.evidence["metrics"]["auroc"]["n"]
    with pytest.raises(ExperimentError, match="the answers of this network are about single events"):
        run(experiment, output=tmp_path / "no", data=data, overrides=['evidence.robustness=["gain"]'])


def test_a_run_aims_at_alarms_from_the_start(experiment: Path, data: Path, tmp_path: Path) -> None:
    aim = 'decisions.aim="V: alarms <= 25000 per day"'
    made = run(experiment, output=tmp_path / "run", data=data, overrides=["training.epochs=1", aim])
    assert set(made.evidence["alarms"]) == {"V"}
    assert made.evidence["policy"]["kind"] == "alarms"
    with pytest.raises(ExperimentError, match=r"decisions\.events goes with an aim such as"):
        run(experiment, output=tmp_path / "no", data=data, overrides=["decisions.events={merge_s = 1}"])
    with pytest.raises(ExperimentError, match="these have no other but alarms per day"):
        run(experiment, output=tmp_path / "no", data=data, overrides=['decisions.aim="V: f1"'])


def test_a_finished_run_is_decided_again_and_audited(done: Run, data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "beats"
    shutil.copytree(done.folder, folder)
    before = audit(folder, data=data, show=QUIET)
    assert [one for one in before.findings if one.severity == "leak"] == []
    decided = decide(folder, aim="argmax")
    assert decided.n_policies == 2
    assert decided.evidence["metrics"] == done.evidence["metrics"]  # both maps of the beats among them
    assert list(problems(json.loads((folder / "evidence.json").read_text()), SCHEMA)) == []
    test = ScoreTable.read(folder / "scores" / "test.parquet")
    # The events of one training record among the rows that judge are found.
    split = Split.read(folder / "split.parquet")
    moved = test.columns["record"].copy().astype(object)
    moved[moved == moved[0]] = split.ids[split.indices("train")][0]
    table = replace(test, columns={**test.columns, "record": moved.astype(str)})
    (folder / "scores" / "test.parquet").write_bytes(table.to_parquet())
    with pytest.raises(FormatError, match=r"its rows are not the test rows of split\.parquet"):
        decide(folder, aim="argmax")
    assert "rows_of_another_part" in {one.kind for one in audit(folder, data=data, show=QUIET).findings}

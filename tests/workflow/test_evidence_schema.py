"""`docs/evidence.schema.json` says what `evidence.json` holds, of every kind of run."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from vicinal.workflow.evaluating import evaluate
from vicinal.workflow.running import Run, run

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "evidence.schema.json").read_text())
KINDS = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}


def is_a(value: Any, kind: str) -> bool:
    if kind in ("integer", "number"):
        return isinstance(value, int if kind == "integer" else (int, float)) and not isinstance(value, bool)
    return isinstance(value, KINDS[kind])


def problems(
    value: Any, schema: dict[str, Any], where: str = "", *, root: dict[str, Any] = SCHEMA
) -> Iterator[str]:
    """Yield what breaks the schema, in the few words of JSON Schema that ours use."""
    if "$ref" in schema:
        schema = root["$defs"][schema["$ref"].removeprefix("#/$defs/")]
    kinds = [schema["type"]] if isinstance(schema.get("type"), str) else schema.get("type", [])
    if kinds and not any(is_a(value, kind) for kind in kinds):
        yield f"{where}: not {kinds}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{where}: not among {schema['enum']}"
    if "minimum" in schema and value is not None and value < schema["minimum"]:
        yield f"{where}: below {schema['minimum']}"
    if isinstance(value, list):
        for k, one in enumerate(value):
            yield from problems(one, schema.get("items", {}), f"{where}[{k}]", root=root)
    if isinstance(value, dict):
        yield from (f"{where}: lacks {name}" for name in schema.get("required", ()) if name not in value)
        known, others = schema.get("properties", {}), schema.get("additionalProperties", {})
        for name, one in value.items():
            if name not in known and others is False:
                yield f"{where}: unknown {name}"
            else:
                yield from problems(one, known.get(name, others), f"{where}.{name}", root=root)


def test_the_evidence_of_a_run_and_of_a_cross_validation(finished: Run, crossed: Run) -> None:
    for one in (finished, crossed):
        assert list(problems(json.loads((one.folder / "evidence.json").read_text()), SCHEMA)) == []


def test_evidence_with_everything_that_can_be_asked_for(experiment_file: Path, tmp_path: Path) -> None:
    overrides = [
        'evidence.subgroups=["condition"]', 'evidence.robustness=["shift", "hum50"]',
        "evidence.learning_curve=[0.01, 0.5]",
    ]  # fmt: skip
    run(experiment_file, output=tmp_path / "run", overrides=overrides)
    evidence = json.loads((tmp_path / "run" / "evidence.json").read_text())
    assert set(evidence) == set(SCHEMA["properties"]) - {
        "contract", "alarms", "beats", "earlier_policies", "differences",
    }  # fmt: skip
    assert list(problems(evidence, SCHEMA)) == []


def test_the_evidence_of_an_external_evaluation(finished: Run, experiment_file: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    evaluate([finished.folder], data=experiment_file, columns=["condition"], output=output, resamples=100)
    evidence = json.loads((output / "evidence.json").read_text())
    of_a_run = {"robustness", "learning_curve", "dataflow", "network", "training", "versions"}
    assert set(evidence) == set(SCHEMA["properties"]) - of_a_run - {
        "alarms", "beats", "earlier_policies", "differences",
    }  # fmt: skip
    assert list(problems(evidence, SCHEMA)) == []


def test_the_evidence_of_two_models(finished: Run, experiment_file: Path, tmp_path: Path) -> None:
    evaluate([finished.folder] * 2, data=experiment_file, output=tmp_path / "out", resamples=100)
    evidence = json.loads((tmp_path / "out" / "evidence-b.json").read_text())
    assert evidence["differences"]["metrics"]
    assert list(problems(evidence, SCHEMA)) == []


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        (["metrics", "auroc", "value"], "high", "not ['number', 'null']"),
        (["metrics", "auroc", "n"], 3.5, "not ['integer']"),
        (["metrics", "auroc", "p"], 0.05, "unknown p"),
        (["metrics", "auroc", "n"], -1, "below 0"),
        (["protocol", "role"], "train", "not among"),
        (["verdict"], "good", "unknown verdict"),
    ],
)
def test_other_evidence_breaks_it(finished: Run, path: list[str], value: Any, problem: str) -> None:
    evidence = copy.deepcopy(finished.evidence)
    place = evidence
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    assert any(problem in one for one in problems(evidence, SCHEMA))


def test_a_missing_number_breaks_it(finished: Run) -> None:
    evidence = copy.deepcopy(finished.evidence)
    del evidence["metrics"]["auroc"]["low"]
    assert list(problems(evidence, SCHEMA)) == [".metrics.auroc: lacks low"]

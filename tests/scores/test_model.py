import os
import pickle
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import vicinal
from vicinal.decisions.calibration import Calibration
from vicinal.errors import ExperimentError, FormatError, PathError
from vicinal.scores.container import join_members, split_members
from vicinal.scores.model import _HASHED, _MEMBERS, Model
from vicinal.scores.weights import encode_weights
from vicinal.signal import Signal


def members_of(model):
    return split_members(model.to_bytes(), limits=_MEMBERS, source="m")


def loaded_with(model, **changes):
    """Load the model with members replaced (None: left out) and a right digest."""
    names = {name.split(".")[0]: name for name in _MEMBERS}
    members = members_of(model) | {names[key]: value for key, value in changes.items()}
    return Model.from_bytes(join_members({n: d for n, d in members.items() if d is not None}), source="m")


def signals(n=3):
    rng = np.random.default_rng(1)
    return [
        Signal(rng.standard_normal((2, 120)).astype(np.float32), ("I", "II"), ("mV", "mV"), 50.0, id=f"r{k}")
        for k in range(n)
    ]


def test_saved_and_loaded_it_is_the_same_model(model, tmp_path):
    model.save(tmp_path / "a.vicinal")
    model.save(tmp_path / "b.vicinal")
    loaded = vicinal.load(tmp_path / "a.vicinal")

    assert (tmp_path / "a.vicinal").read_bytes() == (tmp_path / "b.vicinal").read_bytes() == loaded.to_bytes()
    assert loaded.hash == model.hash
    assert (loaded.network, loaded.contract, loaded.policy) == (model.network, model.contract, model.policy)
    assert (loaded.provenance, loaded.reference, loaded.card) == (
        model.provenance,
        model.reference,
        model.card,
    )
    assert loaded.score(signals()).logits.tobytes() == model.score(signals()).logits.tobytes()


def test_the_hash_covers_weights_network_contract_and_calibration_only(bare, model):
    weights = {**bare.weights, "1.norm.bias": bare.weights["1.norm.bias"] + 1}
    calibration = Calibration("binary", ("AF",), "temperature", {"temperature": (2.0,)})

    assert model.hash == bare.hash == replace(bare, card="", reference={}, provenance={}).hash
    assert (
        len({bare.hash, replace(bare, weights=weights).hash, replace(bare, calibration=calibration).hash})
        == 3
    )
    assert replace(bare, network=bare.network.replace("relu", "gelu")).hash != bare.hash
    assert replace(bare, contract=bare.contract.model_copy(update={"min_duration_s": 1.0})).hash != bare.hash


def test_a_policy_names_its_model_and_the_one_before_is_kept(bare, model, policy):
    other = model.with_policy(replace(policy, thresholds=(0.7,)))

    assert model.policy.model_hash == bare.hash
    assert other.hash == model.hash
    assert other.policy_history == (model.policy.to_dict(),)
    loaded = Model.from_bytes(other.to_bytes())
    assert (loaded.policy, loaded.policy_history) == (other.policy, other.policy_history)
    with pytest.raises(ExperimentError, match="fitted on scores of model feed"):
        bare.with_policy(replace(policy, model_hash="feed" * 16))


def test_scores_are_calibrated_and_carry_their_origin(model):
    table = model.score(signals(), role="test")

    assert table.ids.tolist() == ["r0", "r1", "r2"]
    assert (table.role, table.model_hash, table.precision) == ("test", model.hash, "float32")
    assert np.isnan(table.truth).all()
    assert (table.probabilities == model.calibration.apply(table.logits)).all()


def test_another_precision_is_used_only_when_asked_and_is_named(model):
    scorer = model.scorer("bfloat16")
    ids, logits = scorer.signals(signals())

    assert scorer.table(logits, ids=ids, role="test").precision == "bfloat16"
    assert scorer.fitted_precision == "float32"
    assert np.allclose(logits, model.score(signals()).logits, atol=0.1)


def test_a_model_whose_parts_disagree_is_refused_with_all_reasons(bare):
    with pytest.raises(
        FormatError, match=r"contract.json: expected an input of shape .*network.txt: stage 1"
    ):
        replace(bare, input_shape=(1, 7), network="convv 3")
    with pytest.raises(FormatError, match=r"weights.safetensors: tensor .*head|dense.* expected shape"):
        replace(bare, calibration=Calibration("classes", ("A", "B"), "none"))
    with pytest.raises(
        FormatError, match=r"provenance.json: precision must be float32 or bfloat16, got 'float8'"
    ):
        replace(bare, provenance={"precision": "float8"})


def test_what_has_no_json_form_cannot_be_saved(bare):
    with pytest.raises(FormatError, match="reference has no JSON form"):
        replace(bare, reference={"auroc": float("nan")}).to_bytes()


@pytest.mark.parametrize("k", range(16))
def test_cut_at_every_sixteenth(model, tmp_path, k):
    data = model.to_bytes()
    path = tmp_path / "m.vicinal"
    path.write_bytes(data[: len(data) * k // 16])

    with pytest.raises(FormatError, match=r"m.vicinal: (expected a model|the file is damaged)"):
        Model.load(path)


def test_a_flipped_bit_anywhere(model):
    data = model.to_bytes()
    for place in np.random.default_rng(0).integers(0, len(data), 200):
        changed = bytearray(data)
        changed[place] ^= 1 << int(place) % 8
        with pytest.raises(FormatError, match=r"damaged|expected a model"):
            Model.from_bytes(bytes(changed))


@pytest.mark.parametrize("more", [b"\0", b"PK\5\6", None])
def test_bytes_after_the_end(model, more):
    data = model.to_bytes()
    with pytest.raises(FormatError, match="damaged"):
        Model.from_bytes(data + (data if more is None else more))


def test_what_is_no_model_file(tmp_path):
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "pickle").write_bytes(pickle.dumps({"weights": 1}))
    os.mkfifo(tmp_path / "pipe")

    for name, error, message in [
        ("none", PathError, "none does not exist"),
        ("", PathError, "not a regular file|Is a directory"),
        ("pipe", PathError, "not a regular file"),
        ("empty", FormatError, "an empty file"),
        ("pickle", FormatError, "a pickle, which is never opened"),
    ]:
        with pytest.raises(error, match=message):
            Model.load(tmp_path / name)


@pytest.mark.parametrize("name", sorted(_MEMBERS))
def test_every_member_is_needed_and_named(model, name):
    with pytest.raises(FormatError, match=f"m: member {name} is missing"):
        loaded_with(model, **{name.split(".")[0]: None})


@pytest.mark.parametrize("name", ["contract", "calibration", "policy", "reference", "provenance"])
@pytest.mark.parametrize("data", [b"", b"[]", b"{", b'{"a": NaN}', b'{"\xff": 1}', b"[" * 200_000])
def test_every_json_member_is_checked_and_named(model, name, data):
    with pytest.raises(FormatError, match=rf"m: {name}.json: "):
        loaded_with(model, **{name: data})


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("provenance", b'"format": 1', b'"format": 2', "provenance.json: expected format 1, got 2"),
        (
            "provenance",
            b'"format": 1',
            b'"format": 1, "format": 1',
            "would write the same model in other bytes",
        ),
        ("contract", b'"rate_hz": 50.0,', b"", "contract.json: .*rate_hz"),
        ("contract", b'"rate_hz": 50.0', b'"rate_hz": 50', "other bytes"),
        ("contract", b'"channels": [', b'"chanels": [', "contract.json: .*chanels"),
        ("contract", b'"duration_s": 2.0', b'"duration_s": 3.0', "policy.json: it was fitted for model"),
        ("calibration", b'"AF"', b'"AF", "AF"', "calibration.json: .*distinct"),
        ("calibration", b'"AF"', b'"AF", "N"', "weights.safetensors: tensor|calibration.json"),
        ("calibration", b"1.5", b"-1.5", "calibration.json: .*positive"),
        ("policy", b"0.4", b"1.4", "policy.json: .*thresholds must lie in 0 to 1"),
        ("policy", b"0.4", b'"nan"', "policy.json: "),
        ("policy", b'"history": []', b'"history": [1]', "policy.json: expected a history of objects"),
        ("policy", b'"AF"', b'"VT"', "policy.json: expected the classes"),
        ("network", b"stride 2 same", b"stride 0 same", "network.txt: stage 1"),
        ("network", b"conv 4", b"conv 1000000", "weights.safetensors: tensor"),
        (
            "network",
            b"| mean-max | dense classes",
            b"| conv classes window 1",
            "network.txt: answers at the events of a recording are exclusive",
        ),
        ("network", b"relu", b"relu * 100000", "network.txt: .*stages"),
        ("network", b"relu", b"\xff", "network.txt or card.md: not UTF-8"),
    ],
)
def test_changed_members_with_a_right_digest(model, name, old, new, message):
    before = next(data for key, data in members_of(model).items() if key.startswith(name))
    assert old in before

    with pytest.raises(FormatError, match=message):
        loaded_with(model, **{name: before.replace(old, new, 1)})


def test_the_weights_of_another_model_do_not_fit_its_policy(model):
    weights = {name: array + np.float32(1) for name, array in model.weights.items()}

    with pytest.raises(FormatError, match=r"policy.json: it was fitted for model"):
        loaded_with(model, weights=encode_weights(weights))


def test_weights_that_are_not_finite(model):
    weights = {name: array.copy() for name, array in model.weights.items()}
    weights["1.norm.bias"][0] = np.nan

    with pytest.raises(FormatError, match=r"weights.safetensors: tensor '1.norm.bias': 1 of 4 values"):
        loaded_with(model, weights=encode_weights(weights))


def test_the_specification_lists_the_members_in_order():
    page = Path(__file__).parents[2] / "docs" / "model-file.md"
    rows = re.findall(r"\| `([a-z.]+)` \| 2\^(\d+) \| (yes|no) \|", page.read_text(encoding="utf-8"))

    assert {name: 2 ** int(power) for name, power, _ in rows} == _MEMBERS
    assert [name for name, _, _ in rows] == list(_MEMBERS)
    assert tuple(name for name, _, hashed in rows if hashed == "yes") == _HASHED


def test_an_unknown_member_is_refused(model):
    members = {**members_of(model), "code.py": b"import os"}
    with pytest.raises(FormatError, match=r"member 'code.py' is unknown"):
        Model.from_bytes(join_members(members))

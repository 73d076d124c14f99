"""Model: everything needed to go from a signal to a decision, as one file without code in it.

Network text, weights, contract, calibration and policy, with where they came from. Loading checks every byte
and never runs anything from the file. Must not know packs, data sets or how training works.
`docs/model-file.md` is the specification.
"""

import contextlib
import functools
import json
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from vicinal.decisions.calibration import Calibration
from vicinal.decisions.policy import Policy
from vicinal.errors import ContractError, ExperimentError, FormatError, NetworkError, PathError
from vicinal.files import sha256_bytes, write_bytes
from vicinal.inputs.contract import Contract
from vicinal.representations.engine import Precision, choose
from vicinal.representations.network import Network, sketch
from vicinal.representations.sight import sight_of
from vicinal.scores.at_events import score_signals_at_events
from vicinal.scores.container import LARGEST_BYTES, join_members, split_members
from vicinal.scores.scorer import Scorer, make_scorer
from vicinal.scores.weights import Weights, decode_weights, encode_weights, fill, weight_problems
from vicinal.scoretable import Role, ScoreTable
from vicinal.signal import Signal

__all__ = ["FORMAT", "Model"]

FORMAT = 1
"""Version of the model file that is written, and the newest that is read."""

_MEMBERS = {
    "weights.safetensors": 2**30,
    "network.txt": 2**16,
    "contract.json": 2**20,
    "calibration.json": 2**20,
    "policy.json": 2**22,
    "reference.json": 2**24,
    "provenance.json": 2**20,
    "card.md": 2**20,
}
_HASHED = ("weights.safetensors", "network.txt", "contract.json", "calibration.json")


@dataclass(frozen=True)
class Model:
    """A trained network with its contract, calibration and policy.

    Args:    network: its text.  input_shape: (channels, *positions), as the contract says.
             weights: float32 arrays by name, in the public shapes.  contract: what a signal must be.
             calibration: task, classes, and the map from logits to probabilities.
             policy: how probabilities become decisions, or None; it names the hash of this model.
             reference: statistics of the training data, for later monitoring.
             provenance: versions, hashes and seed; `precision` is the one that calibration and policy were
             fitted in (float32 when it is not named).  card: a page in Markdown for the reader.
             policy_history: earlier policies, oldest first.
    Raises:  FormatError: when the parts do not belong together; every problem is listed.
    """

    network: str
    input_shape: tuple[int, ...]
    weights: Weights = field(repr=False)
    contract: Contract
    calibration: Calibration
    policy: Policy | None = None
    reference: dict[str, Any] = field(default_factory=dict, repr=False)
    provenance: dict[str, Any] = field(default_factory=dict, repr=False)
    card: str = field(default="", repr=False)
    policy_history: tuple[dict[str, Any], ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        problems = self._problems()
        if problems:
            raise FormatError("model: " + "; ".join(problems) + ".")

    def _problems(self) -> list[str]:
        problems = []
        if tuple(self.input_shape) != tuple(self.contract.input_shape):
            problems.append(
                f"contract.json: expected an input of shape {tuple(self.input_shape)}, "
                f"got {self.contract.input_shape}"
            )
        if self.precision not in ("float32", "bfloat16"):
            problems.append(f"provenance.json: precision must be float32 or bfloat16, got {self.precision!r}")
        try:
            network = self._sketch()
        except NetworkError as error:
            return [*problems, f"network.txt: {error}"]
        problems += [f"network.txt: {text}" for text in self._head_problems(network)]
        problems += [f"weights.safetensors: {text}" for text in weight_problems(self.weights, network)]
        if self.policy is not None and not problems:
            problems += self._policy_problems(self.policy)
        return problems

    def _head_problems(self, network: Network) -> Iterator[str]:
        if len(list(network.layers())[-1].facts.shape) == 1:
            return
        if self.calibration.task != "classes":
            yield "answers at the events of a recording are exclusive classes, and end in one softmax"
        try:
            sight_of(network)
        except NetworkError as error:
            yield str(error)

    @property
    def answers_at_events(self) -> bool:
        """Whether it gives an answer at each event of a recording, rather than one for the whole."""
        return len(list(self._sketch().layers())[-1].facts.shape) > 1

    def _policy_problems(self, policy: Policy) -> list[str]:
        problems = []
        if policy.model_hash != self.hash:
            problems.append(
                f"policy.json: it was fitted for model {policy.model_hash[:12]!r}, and this is "
                f"{self.hash[:12]!r}; fit a policy on scores of this model"
            )
        if tuple(policy.classes) != self.calibration.classes:
            problems.append(
                f"policy.json: expected the classes {self.calibration.classes}, got {tuple(policy.classes)}"
            )
        return problems

    @property
    def precision(self) -> Precision:
        """The precision that calibration and policy were fitted in."""
        precision: Precision = self.provenance.get("precision", "float32")
        return precision

    @functools.cached_property
    def hash(self) -> str:
        """Hex SHA-256 over weights, network, contract and calibration; the policy is not part of it."""
        members = self._hashed_members()
        return sha256_bytes(b"".join(bytes.fromhex(sha256_bytes(members[name])) for name in _HASHED))

    def with_policy(self, policy: Policy) -> "Model":
        """Return the same model with another policy; the present one goes into its history.

        Raises:  ExperimentError: when the policy was fitted for another model.
        """
        if policy.model_hash not in ("", self.hash):
            raise ExperimentError(
                f"the policy was fitted on scores of model {policy.model_hash[:12]}, and this is "
                f"{self.hash[:12]}. Score rows with this model and fit the policy on them."
            )
        earlier = () if self.policy is None else (self.policy.to_dict(),)
        named = replace(policy, model_hash=self.hash)
        return replace(self, policy=named, policy_history=(*self.policy_history, *earlier))

    def build(self) -> Network:
        """Return the network with its weights, ready to evaluate."""
        network = self._sketch()
        fill(network, self.weights)
        return network.eval()

    def scorer(self, precision: Precision | None = None) -> Scorer:
        """Return what scores signals and packs with this model.

        Args:    precision: None for the one that calibration and policy were fitted in; another one is named
                 in every table it makes.
        """
        return make_scorer(
            self.build(),
            engine=choose(precision=precision or self.precision),
            contract=self.contract,
            calibration=self.calibration,
            model_hash=self.hash,
            fitted_precision=self.precision,
        )

    def score(self, signals: Iterable[Signal] | Signal, *, role: Role = "unlabelled") -> ScoreTable:
        """Score signals, a batch at a time, in the precision of the model; at their events where it answers there.

        Raises:  ContractError: when a signal cannot be made to fit, or is a bare array.  FormatError: when ids repeat.
        """
        signals = _each(signals)
        scorer = self.scorer()
        if scorer.positions is not None:
            return score_signals_at_events(scorer, signals, role=role)
        ids, logits = scorer.signals(signals)
        return scorer.table(logits, ids=ids, role=role)

    def save(self, path: Path) -> None:
        """Write the model file; the same model always gives the same bytes.

        Raises:  PathError: when it cannot be written.  FormatError: when a part has no JSON form.
        """
        write_bytes(Path(path), self.to_bytes())

    def to_bytes(self) -> bytes:
        """Return the content of the model file."""
        policy = None if self.policy is None else self.policy.to_dict()
        members = self._hashed_members() | {
            "policy.json": _json("policy", {"policy": policy, "history": list(self.policy_history)}),
            "reference.json": _json("reference", self.reference),
            "provenance.json": _json("provenance", {**self.provenance, "format": FORMAT}),
            "card.md": self.card.encode(),
        }
        return join_members({name: members[name] for name in _MEMBERS})

    @staticmethod
    def load(path: Path | str) -> "Model":
        """Read a model file, checking all of it.

        Raises:  PathError: when there is no such regular file.
                 FormatError: when anything in it is not as `docs/model-file.md` says.
        """
        return Model.from_bytes(_read(Path(path)), source=str(path))

    @staticmethod
    def from_bytes(data: bytes, *, source: str = "model.vicinal") -> "Model":
        """Read the content of a model file; see `load`."""
        members = split_members(data, limits=_MEMBERS, source=source)
        missing = [name for name in _MEMBERS if name not in members]
        if missing:
            raise FormatError(f"{source}: member {', '.join(missing)} is missing. Save the model again.")
        with _naming(f"{source}: provenance.json"):
            provenance = _object(members["provenance.json"])
            _check_format(provenance.pop("format", None))
        with _naming(f"{source}: contract.json"):
            contract = Contract.from_json(members["contract.json"])
        with _naming(f"{source}: calibration.json"):
            calibration = Calibration.from_dict(_object(members["calibration.json"]))
        with _naming(f"{source}: policy.json"):
            policy, history = _policies(members["policy.json"])
        with _naming(f"{source}: weights.safetensors"):
            weights = decode_weights(members["weights.safetensors"])
        with _naming(f"{source}: reference.json"):
            reference = _object(members["reference.json"])
        with _naming(f"{source}: network.txt or card.md"):
            network, card = _text(members["network.txt"]).removesuffix("\n"), _text(members["card.md"])
        with _naming(source):
            model = Model(
                network=network,
                input_shape=contract.input_shape,
                weights=weights,
                contract=contract,
                calibration=calibration,
                policy=policy,
                reference=reference,
                provenance=provenance,
                card=card,
                policy_history=history,
            )
        if model.to_bytes() != data:
            raise FormatError(
                f"{source}: it reads, but Vicinal would write the same model in other bytes, so something in "
                "it is not used. Save the model again."
            )
        return model

    def _sketch(self) -> Network:
        # Shapes without memory: a text may ask for more than there is.
        return sketch(
            self.network, input_shape=self.contract.input_shape, n_outputs=len(self.calibration.classes)
        )

    def _hashed_members(self) -> dict[str, bytes]:
        return {
            "weights.safetensors": encode_weights(self.weights),
            "network.txt": self.network.encode() + b"\n",
            "contract.json": _json("contract", self.contract.model_dump(mode="json")),
            "calibration.json": _json("calibration", self.calibration.to_dict()),
        }


def _read(path: Path) -> bytes:
    try:
        # Waiting for ever is what opening a named pipe would do; on regular files the flag does nothing.
        with os.fdopen(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)), "rb") as stream:
            found = os.fstat(stream.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise PathError(f"{path} is not a regular file. Give a model.vicinal.")
            if found.st_size > LARGEST_BYTES:
                raise FormatError(
                    f"{path}: expected at most {LARGEST_BYTES:,} bytes, got {found.st_size:,}; "
                    "that is no model file."
                )
            return stream.read(LARGEST_BYTES + 1)
    except FileNotFoundError as error:
        raise PathError(
            f"{path} does not exist. Give a model.vicinal, such as `vicinal run` leaves."
        ) from error
    except PathError:
        raise
    except OSError as error:
        raise PathError(f"cannot read {path}: {error.strerror}.") from error


def _each(signals: Iterable[Signal] | Signal) -> Iterator[Signal]:
    """Yield the signals; an array says nothing of its channels, unit and rate.

    Raises:  ContractError: for what is no signal.
    """
    for one in (signals,) if isinstance(signals, Signal) else signals:
        if not isinstance(one, Signal):
            raise ContractError(
                f"Model.score: expected signals, got {type(one).__name__}. Say what its channels, units and rate are: "
                'vicinal.signal.Signal(samples=array, channels=("II",), units=("mV",), rate_hz=500.0, id="a").'
            )
        yield one


def _json(name: str, value: object) -> bytes:
    try:
        text = json.dumps(value, indent=2, sort_keys=True, allow_nan=False, ensure_ascii=False)
    except (TypeError, ValueError) as error:
        raise FormatError(
            f"model: {name} has no JSON form: {error}. Give finite numbers, text, lists and objects."
        ) from error
    return (text + "\n").encode()


@contextlib.contextmanager
def _naming(where: str) -> Iterator[None]:
    """Put the place in front of the message of what goes wrong there."""
    try:
        yield
    except FormatError as error:
        raise FormatError(f"{where}: {error}") from error


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise FormatError(f"not UTF-8 text: {error}.") from error


def _object(data: bytes) -> dict[str, Any]:
    try:
        value = json.loads(_text(data), parse_constant=_refuse_constant)
    except FormatError:
        raise
    except (ValueError, RecursionError) as error:
        raise FormatError(f"not JSON: {error}.") from error
    if not isinstance(value, dict):
        raise FormatError(f"expected a JSON object, got {type(value).__name__}.")
    return value


def _refuse_constant(text: str) -> float:
    raise ValueError(f"{text} is not a JSON number")


def _check_format(version: object) -> None:
    if version != FORMAT:
        raise FormatError(
            f"expected format {FORMAT}, got {version!r}. Read it with the Vicinal that wrote it."
        )


def _policies(data: bytes) -> tuple[Policy | None, tuple[dict[str, Any], ...]]:
    found = _object(data)
    history = found.get("history")
    if set(found) != {"policy", "history"} or not isinstance(history, list):
        raise FormatError(f"expected `policy` and a list `history`, got {sorted(found)}.")
    if not all(isinstance(earlier, dict) for earlier in history):
        raise FormatError("expected a history of objects, one for each earlier policy.")
    policy = None if found["policy"] is None else Policy.from_dict(found["policy"])
    return policy, tuple(history)

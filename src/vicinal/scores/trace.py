"""Trace: the way of one recording or image through the model, from the contract to the decision, as plain data.

Runs the very network that scoring runs, so every number is the one that `score` gives. Must not know how a
trace is drawn (`trace_page.py`).
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32, Float64

from vicinal.decisions.policy import Policy
from vicinal.errors import ContractError
from vicinal.inputs.prepare import Prepared, prepare
from vicinal.inputs.violations import check
from vicinal.representations.engine import choose
from vicinal.representations.excitation import Peaks, peaks
from vicinal.representations.folding import Folded, folded
from vicinal.representations.inspection import seen_by
from vicinal.representations.network import Network
from vicinal.scores.attribution import Attribution, attribute, pixels
from vicinal.scores.model import Model
from vicinal.scores.scorer import BATCH
from vicinal.signal import Signal

__all__ = ["ExcitedUnit", "Trace", "TracedStage", "trace"]

N_EXCITED = 3


Window = tuple[tuple[int, int], ...]
"""[start, stop) along each axis of what entered the network."""


@dataclass(frozen=True)
class ExcitedUnit:
    """One unit where it is excited most along the recording, or in the image; a large value, sign and all.

    Attributes: unit: channel or feature, from 0.  position: where, along each axis; None for features.
                value: there.  window: that the unit sees there, the recording's alone.
                window_s: the same in seconds of the recording; None for images.
    """

    unit: int
    position: tuple[int, ...] | None
    value: float
    window: Window
    window_s: tuple[float, float] | None

    @property
    def sees(self) -> str:
        """The window in words."""
        if self.window_s is None:
            return pixels(self.window)
        start, stop = self.window_s
        return f"{start:.2f} to {stop:.2f} s"

    def words(self) -> str:
        """Return it as words for a terminal."""
        return f"unit {self.unit} {self.value:+.3f}, {self.sees}"

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values: along time a number and [start, stop], of an image those of each axis."""
        plain = vars(self)
        if self.window_s is None:
            return plain
        return {**plain, "position": self.position and self.position[0], "window": self.window[0]}


@dataclass(frozen=True)
class TracedStage:
    """What one stage of the network made of the recording or image, and the units that it excites most.

    Attributes: text: of the stage; a norm that scoring folds into the stage before it stands with that stage.
                shape: (channels, *positions) or (features,), of the recording, not of its padding.
                excited: up to three units, the most excited first; behind `local` each position has units of its own.
                profile: (*positions) of the first one's channel, or all (features,).
    """

    text: str
    shape: tuple[int, ...]
    excited: tuple[ExcitedUnit, ...]
    profile: Float32[np.ndarray, "*positions"] = field(repr=False)

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values: the first unit's own facts, and all under `excited`."""
        excited = [one.to_dict() for one in self.excited]
        return {"text": self.text, "shape": self.shape, **excited[0], "excited": excited}


@dataclass(frozen=True)
class Trace:
    """The way of one recording or image to its decision.

    Attributes: id, source: of the recording.  findings: what the contract found, with what was converted.
                channels, units, rate_hz: of the prepared signal.  offset_s: second of the recording at which
                it begins; both None for images.  prepared: (channels, *positions), what entered the network.
                stages: in order.  classes: K names.  logits, probabilities: (K,).
                thresholds: (K,), empty without a policy or for argmax, None for a class that never alarms.
                field_prevalence: stated by the policy, or None.  field_probabilities, field_thresholds: the same
                at that prevalence, (K,); empty where none is stated.
                decisions: (K,) 1, 0 or -1 (referred), empty without a policy.  decision: in words.
                attribution: what the score of one class rests on.
                meaning: what such decisions come to in 1,000 people, or "" when the model does not say.
                model_hash, precision: what scored it.
    """

    id: str
    source: str
    findings: tuple[str, ...]
    channels: tuple[str, ...]
    units: str
    rate_hz: float | None
    offset_s: float | None
    prepared: Float32[np.ndarray, "channels *positions"] = field(repr=False)
    stages: tuple[TracedStage, ...]
    classes: tuple[str, ...]
    logits: tuple[float, ...]
    probabilities: tuple[float, ...]
    thresholds: tuple[float | None, ...]
    decisions: tuple[int, ...]
    decision: str
    attribution: Attribution
    meaning: str
    model_hash: str
    precision: str
    field_prevalence: float | None = None
    field_probabilities: tuple[float, ...] = ()
    field_thresholds: tuple[float, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the trace as JSON values, without the arrays that are only drawn."""
        plain = {name: value for name, value in vars(self).items() if name not in ("prepared", "stages")}
        sizes = self.prepared.shape[1:]
        return {
            **plain,
            **({"length": sizes[0]} if self.seconds is not None else {"size": sizes}),
            "stages": [stage.to_dict() for stage in self.stages],
            "attribution": self.attribution.to_dict(),
        }

    @property
    def seconds(self) -> tuple[float, float] | None:
        """From which second of the recording to which the network sees it; None for images."""
        if self.rate_hz is None or self.offset_s is None:
            return None
        return self.offset_s, self.offset_s + self.prepared.shape[1] / self.rate_hz

    def entered(self) -> str:
        """Return in words what entered the network."""
        names = ", ".join(self.channels)
        if self.seconds is None:
            return f"{names}, {' x '.join(map(str, self.prepared.shape[1:]))} pixels"
        start, stop = self.seconds
        return f"{names} at {self.rate_hz:g} Hz, {start:.2f} to {stop:.2f} s"

    def lines(self) -> list[str]:
        """Return the trace as lines for a terminal."""
        width = max(len(stage.text) for stage in self.stages)
        kind = "image" if self.seconds is None else "recording"
        stages = [
            f"  {stage.text:<{width}}  {_shape(stage.shape):>10}  "
            + "; ".join(one.words() for one in stage.excited)
            for stage in self.stages
        ]
        return [
            f"{kind:<9}  {self.id}" + (f"  ({self.source})" if self.source else ""),
            *(f"contract   {finding}" for finding in self.findings or ("met as it is",)),
            f"prepared   {self.entered()}",
            f"stages     and the units that this {kind} excites most, with what they see there",
            *stages,
            *self.score_lines(),
            *self.attribution.lines(),
            *([f"meaning    {line}" for line in self.meaning.splitlines() if line]),
        ]

    def score_lines(self) -> list[str]:
        """Return logit, probability and threshold of each class, and the decision."""
        rows = []
        for k, name in enumerate(self.classes):
            cut = self.thresholds[k] if self.thresholds else None
            limit = "" if cut is None else f", threshold {cut:.6g}"
            score = f"logit {self.logits[k]:.6g}, probability {self.probabilities[k]:.6g}"
            rows.append(f"score      {name}: {score}{limit}")
            if self.field_probabilities:
                limit = f", threshold {self.field_thresholds[k]:.6g}" if self.field_thresholds else ""
                rows.append(
                    f"           at the field's prevalence {self.field_prevalence:g}: probability "
                    f"{self.field_probabilities[k]:.6g}{limit}"
                )
        return [*rows, f"decision   {self.decision}"]


def trace(model: Model, signal: Signal, *, explain: str | None = None) -> Trace:
    """Follow one recording or image through the model.

    Args:    model: its `reference["meaning"]["sentence"]`, where there is one, says what decisions mean.
             signal: a recording or an image.
             explain: the class whose score is attributed to samples; None: the most probable one.
    Raises:  ContractError: when the signal cannot be made to fit the contract, or the model answers at events.
             ExperimentError: when the model has no class of this name.
    """
    contract = model.contract
    if model.answers_at_events:
        raise ContractError(
            "trace: expected a model with one answer for a recording, got one that answers at its events. Score the "
            "file, or inspect the network."
        )
    prepared = prepare(signal, contract)
    rate_hz = contract.position_rate_hz
    stages, logits = _run(model, prepared)
    probabilities = model.calibration.apply(logits)
    decisions = None if model.policy is None else model.policy.decide(probabilities)[0]
    moved = None if model.policy is None else model.policy.in_the_field(probabilities)
    said = model.reference.get("meaning")
    classes = model.calibration.classes
    explained = classes[int(np.argmax(probabilities[0]))] if explain is None else explain
    return Trace(
        id=signal.id,
        source=Path(signal.source).name,
        findings=tuple(violation.message for violation in check(signal, contract)),
        channels=contract.input_channels,
        units=contract.units,
        rate_hz=rate_hz,
        offset_s=None if rate_hz is None else prepared.offset / rate_hz,
        prepared=prepared.samples if rate_hz is None else prepared.samples[:, : prepared.length],
        stages=stages,
        classes=classes,
        logits=tuple(map(float, logits[0])),
        probabilities=tuple(map(float, probabilities[0])),
        thresholds=() if model.policy is None else model.policy.thresholds,
        decisions=() if decisions is None else tuple(map(int, decisions)),
        decision=_words(model.policy, classes, decisions),
        attribution=attribute(model, prepared, name=explained),
        meaning=str(said["sentence"]) if isinstance(said, dict) and "sentence" in said else "",
        model_hash=model.hash,
        precision=model.precision,
        **({} if moved is None or model.policy is None else _field(model.policy, moved)),
    )


def _field(policy: Policy, probabilities: Float64[np.ndarray, "1 1"]) -> dict[str, Any]:
    """Return probabilities and thresholds at the stated prevalence, as the trace holds them."""
    cuts = policy.in_the_field(np.array([policy.thresholds], dtype=np.float64))
    return {
        "field_prevalence": policy.prevalence,
        "field_probabilities": tuple(map(float, probabilities[0])),
        "field_thresholds": () if cuts is None else tuple(map(float, cuts[0])),
    }


def _run(model: Model, prepared: Prepared) -> tuple[tuple[TracedStage, ...], Float64[np.ndarray, "1 k"]]:
    """Run the network as the scorer does: folded, and in a batch padded to the same number of rows."""
    engine = choose(precision=model.precision, compiled=False)
    network = engine.place(folded(model.build()))
    x = np.zeros((BATCH, *model.input_shape), dtype=np.float32)
    lengths = np.zeros(BATCH, dtype=np.int64)
    x[0], lengths[0] = prepared.samples, prepared.length
    # An image is always whole, and layers over images take no lengths.
    given = engine.tensor(lengths if x.ndim == 3 else None)
    layers = list(network.layers())
    stages: list[TracedStage] = []
    texts: list[str] = []
    with torch.inference_mode(), engine.autocast():
        for index, found in enumerate(peaks(network, engine.tensor(x), given)):
            texts.append(found.text)
            outputs = found.outputs
            if index + 1 < len(layers) and isinstance(layers[index + 1], Folded):
                continue  # The norm is already in these values; it is shown with them.
            stages.append(
                _stage(network, prepared, " | ".join(texts), found, index, model.contract.position_rate_hz)
            )
            texts.clear()
    return tuple(stages), outputs[:1].float().cpu().numpy().astype(np.float64)


def _stage(
    network: Network, prepared: Prepared, text: str, found: Peaks, index: int, rate_hz: float | None
) -> TracedStage:
    row = found.outputs[0].float().cpu().numpy()
    if found.lengths is not None and row.ndim > 1:
        row = row[:, : max(int(found.lengths[0]), 1)]
    best = found.values[0].cpu().numpy()
    # Of a recording so short that no position is left, the first one stands for it.
    order = np.argsort(-best, kind="stable")[:N_EXCITED].tolist()
    units = [order[0], *(unit for unit in order[1:] if np.isfinite(best[unit]) and best[unit] != 0)]
    excited = tuple(_excited(network, prepared, found, index, unit, rate_hz) for unit in units)
    return TracedStage(
        text=text,
        shape=row.shape,
        excited=excited,
        profile=row[excited[0].unit].copy() if row.ndim > 1 else row.copy(),
    )


def _excited(
    network: Network, prepared: Prepared, found: Peaks, index: int, unit: int, rate_hz: float | None
) -> ExcitedUnit:
    channel, place = found.unit(unit)[0], found.place(0, unit)
    window, window_s = seen_by(network, index, place), None
    if rate_hz is not None:
        window = (tuple(min(at, prepared.length) for at in window[0]),)  # type: ignore[assignment]  # both ends
        window_s = tuple((prepared.offset + at) / rate_hz for at in window[0])
    value = float(found.values[0, unit])
    return ExcitedUnit(
        unit=channel,
        position=place if len(found.shape) > 1 else None,
        value=value if np.isfinite(value) else 0.0,
        window=window,
        window_s=window_s,  # type: ignore[arg-type]  # of two ends
    )


def _words(policy: Policy | None, classes: tuple[str, ...], decisions: np.ndarray | None) -> str:
    if policy is None or decisions is None:
        return "none: the model has no policy"
    if (decisions == -1).all():
        return "referred: too near the threshold to decide; a person should look at it"
    if policy.task == "classes":
        return classes[int(np.argmax(decisions))]
    words = {1: "positive", 0: "negative", -1: "referred"}
    return ", ".join(f"{name} {words[int(d)]}" for name, d in zip(classes, decisions, strict=True))


def _shape(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))

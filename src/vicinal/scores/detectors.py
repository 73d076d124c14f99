"""What the units of a trained network have learnt to detect, as plain data: the snippets that excite each one most.

Rows of a pack stream through the network; the signal is read again only where it is shown. Must not know runs,
splits or how it is drawn (`detectors_picture.py`).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from jaxtyping import Bool, Float, Float32, Int64

from vicinal.errors import FormatError
from vicinal.inputs.pack import Pack
from vicinal.representations.engine import choose
from vicinal.representations.excitation import Excitation, excitations
from vicinal.representations.inspection import seen_by
from vicinal.representations.network import Network
from vicinal.scores.attribution import pixels
from vicinal.scores.model import Model
from vicinal.scores.scorer import BATCH
from vicinal.scoretable import Role

__all__ = ["Detector", "DetectorStage", "Detectors", "Order", "Snippet", "detectors", "place_words"]

Order = Literal["class", "value"]


@dataclass(frozen=True)
class Snippet:
    """The stretch of one signal, or the patch of one image, that a unit sees where it is excited most.

    Attributes: id: of the recording, as in score tables.
                labels: the classes that are true of it, or "not X" of one class alone.
                value: what the unit gives there.  position: the unit's, along each axis; None for features.
                window: [start, stop) along each axis of what entered the network, within the recording.
                window_ms: the same along time from where the input begins; None for images.
                samples: (channels, *window), as they entered the network.
    """

    id: str
    labels: tuple[str, ...]
    value: float
    position: tuple[int, ...] | None
    window: tuple[tuple[int, int], ...]
    window_ms: tuple[float, float] | None
    samples: Float32[np.ndarray, "channels *window"] = field(repr=False)

    @property
    def where(self) -> str:
        """The window in words, in seconds where there is time."""
        if self.window_ms is not None:
            start, stop = (ms / 1000 for ms in self.window_ms)
            digits = 2 if stop - start >= 0.1 else 3
            return f"{start:.{digits}f} to {stop:.{digits}f} s"
        return pixels(self.window)

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values, without the samples, which the recording holds."""
        return {name: value for name, value in vars(self).items() if name != "samples"}


@dataclass(frozen=True)
class Detector:
    """One unit with its strongest snippets, the strongest first, each of another recording.

    Attributes: channel: or feature, from 0.  place: where a unit with weights of its own stays; else None.
                tells: the class that excites it most apart from the others, and by how many standard deviations
                its peaks lie above (or below) theirs; None where the rows do not say.
    """

    channel: int
    place: tuple[int, ...] | None
    snippets: tuple[Snippet, ...]
    tells: tuple[str, float] | None = None

    @property
    def told(self) -> str:
        """The class that it tells and how well: "A +1.3"."""
        return "" if self.tells is None else f"{self.tells[0]} {self.tells[1]:+.2g}"

    @property
    def name(self) -> str:
        """Channel, and place where it has one: "3", "0 at 6"."""
        return str(self.channel) + ("" if self.place is None else f" at {place_words(self.place)}")


@dataclass(frozen=True)
class DetectorStage:
    """One stage and its most excited units.

    Attributes: text: of the stage.  n_units: in all.
                n_silent: units that give zero for all of the rows, as dead ones behind `relu` do.
                units: those that are told, in their order; silent ones are left out.
    """

    text: str
    n_units: int
    n_silent: int
    units: tuple[Detector, ...]


@dataclass(frozen=True)
class Detectors:
    """What every stage of a trained network is excited by.

    Attributes: role: of the rows the snippets come from.  n_rows: how many were looked at.
                n_role: how many have this role.  n_subjects: of the rows looked at; None when not known.
                channels: of what enters the network.  unit: of its samples ("1": scaled).
                rate_hz: of its positions; None for images.  model_hash: whose units they are.
                by: what puts units in their order: see `detectors`.
    """

    role: Role
    n_rows: int
    n_role: int
    n_subjects: int | None
    channels: tuple[str, ...]
    unit: str
    rate_hz: float | None
    model_hash: str
    by: Order
    stages: tuple[DetectorStage, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON values."""
        return {
            **vars(self),
            "stages": [
                {
                    **vars(stage),
                    "units": [
                        {**vars(unit), "snippets": [one.to_dict() for one in unit.snippets]}
                        for unit in stage.units
                    ],
                }
                for stage in self.stages
            ],
        }

    @property
    def source(self) -> str:
        """Which rows the snippets come from, in words."""
        some = f"all {self.n_rows:,}" if self.n_rows == self.n_role else f"{self.n_rows:,} of {self.n_role:,}"
        people = "" if self.n_subjects is None else f" of {self.n_subjects:,} subjects"
        drawn = "" if self.n_rows == self.n_role else ", drawn by lot"
        return f"{some} {self.role} rows{people}{drawn}"


def detectors(
    model: Model,
    pack: Pack,
    indices: Int64[np.ndarray, " m"],
    *,
    role: Role,
    n_role: int,
    n_units: int,
    n_snippets: int,
    by: Order = "class",
    progress: Callable[[int, int | None], None] | None = None,
) -> Detectors:
    """Find what excites the units of every stage most among rows of a pack, in float32 whatever the model's precision.

    Args:    indices: (m,) rows, of the role that is stated; `n_role`: how many rows have it.
             n_units: of each stage that are told, > 0.  n_snippets: of each unit, > 0.
             by: "class" for the units whose peaks tell a class from the others best, "value" for those with the
             largest values.
    Raises:  FormatError: when the pack was made for another contract, or there are no rows.
    """
    if pack.contract != model.contract or len(indices) == 0:
        got = "those of another" if len(indices) else "none"
        raise FormatError(
            f"detectors: expected rows prepared by the model's contract, got {got}. Give the data of its run."
        )
    engine = choose(precision="float32", compiled=False)
    network = engine.place(model.build())
    batches = _batches(pack, indices, progress)
    found = excitations(network, batches, engine=engine, n_strongest=n_snippets, groups=pack.truth[indices])
    contract, subjects = pack.contract, pack.subjects
    scaled = any(step.step in ("scale", "log_mel") for step in contract.steps)
    shows = _Shows(network, pack, indices, by)
    return Detectors(
        role=role,
        n_rows=len(indices),
        n_role=n_role,
        n_subjects=None if subjects is None else len(np.unique(subjects[indices])),
        channels=contract.input_channels,
        unit="1" if scaled else contract.units,
        rate_hz=contract.position_rate_hz,
        model_hash=model.hash,
        by=by,
        stages=tuple(shows.stage(one, index, n_units) for index, one in enumerate(found)),
    )


def place_words(place: tuple[int, ...]) -> str:
    """Return a position along each axis in words."""
    return ", ".join(map(str, place))


def _batches(
    pack: Pack, indices: Int64[np.ndarray, " m"], progress: Callable[[int, int | None], None] | None
) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
    for start in range(0, len(indices), BATCH):
        x, lengths = pack.rows(indices[start : start + BATCH])
        yield x, lengths if x.ndim == 3 else None  # an image is always whole
        if progress is not None:
            progress(min(start + BATCH, len(indices)), len(indices))


def _speaks(values: Float32[np.ndarray, " n"]) -> Bool[np.ndarray, " n"]:
    """Whether a unit was excited: exactly zero is what `relu` gives for nothing, -inf says that there was no place."""
    excited: Bool[np.ndarray, " n"] = np.isfinite(values) & (values != 0)
    return excited


@dataclass(frozen=True)
class _Shows:
    """Turns what was found of a stage into units with their snippets."""

    network: Network
    pack: Pack
    indices: Int64[np.ndarray, " m"]
    by: Order

    def stage(self, found: Excitation, index: int, n_units: int) -> DetectorStage:
        best = found.values[0]
        speaks = _speaks(best)
        apart = np.abs(np.nan_to_num(found.contrasts)).max(axis=0)
        # Largest first; among units that tell classes equally well, as without both kinds of rows, by their values.
        keys = (-best,) if self.by == "value" else (-best, -apart)
        order = [int(unit) for unit in np.lexsort(keys) if speaks[unit]][:n_units]
        units = tuple(told for unit in order if (told := self._unit(found, index, unit)).snippets)
        return DetectorStage(
            text=found.text,
            n_units=found.values.shape[1],
            n_silent=int((~speaks).sum()),
            units=units,
        )

    def _unit(self, found: Excitation, index: int, unit: int) -> Detector:
        channel, place = found.unit(unit)
        ranks = np.flatnonzero(_speaks(found.values[:, unit])).tolist()
        snippets = [self._snippet(found, index, unit, k) for k in ranks]
        # What a wide dilation sees near an end can be padding alone.
        told = tuple(one for one in snippets if one.samples.size)
        return Detector(channel, place, told, self._tells(found.contrasts[:, unit]))

    def _tells(self, contrasts: Float[np.ndarray, " classes"]) -> tuple[str, float] | None:
        if np.isnan(contrasts).all():
            return None
        k = int(np.nanargmax(np.abs(contrasts)))
        return self.pack.classes[k], float(contrasts[k])

    def _snippet(self, found: Excitation, index: int, unit: int, k: int) -> Snippet:
        row = int(self.indices[found.rows[k, unit]])
        x, lengths = self.pack.rows(np.array([row]))
        place = found.place(k, unit)
        window = seen_by(self.network, index, place)
        rate_hz = self.pack.contract.position_rate_hz
        if x.ndim == 3:
            start, stop = window[0]
            window = ((min(start, int(lengths[0])), min(stop, int(lengths[0]))),)
        inside = (slice(None), *(slice(start, stop) for start, stop in window))
        return Snippet(
            id=str(self.pack.ids[row]),
            labels=self._labels(row),
            value=float(found.values[k, unit]),
            position=place if len(found.shape) > 1 else None,
            window=window,
            window_ms=None if rate_hz is None else tuple(1000 * at / rate_hz for at in window[0]),  # type: ignore[arg-type]
            samples=x[0][inside].copy(),
        )

    def _labels(self, row: int) -> tuple[str, ...]:
        """Return the classes that are true of a row, or that the only one is not."""
        truth, classes = self.pack.truth[row], self.pack.classes
        if len(classes) == 1 and truth[0] == 0:
            return (f"not {classes[0]}",)
        return tuple(name for name, is_true in zip(classes, truth, strict=True) if is_true == 1)

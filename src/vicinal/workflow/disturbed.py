"""Recordings read again, disturbed, and prepared along the one path: the work that worker processes do.

Never imports torch, so that a worker starts quickly. Wiring only: what a disturbance is stands in
`evidence/disturbances.py`, what a network takes in the contract.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float32, Int64

from vicinal.errors import VicinalError
from vicinal.evidence.disturbances import DISTURBANCES, Recorded, impossible
from vicinal.files import sha256_bytes
from vicinal.inputs.contract import Contract, choose_channels, unit_factor
from vicinal.inputs.datasets.catalogue import Recording
from vicinal.inputs.prepare import prepare
from vicinal.inputs.row import without_folder
from vicinal.signal import Signal

__all__ = ["UNDISTURBED", "Job", "Versions", "jobs", "make_versions", "versions_of"]

Version = tuple[str, float]
"""Name and strength of a disturbance."""

UNDISTURBED: Version = ("", 0.0)

_CHUNK_BYTES = 2**24


@dataclass(frozen=True)
class Job:
    """Some recordings to disturb, with all that it takes."""

    recordings: tuple[Recording, ...]
    read: Callable[[Recording], Signal]
    contract: Contract
    versions: tuple[Version, ...]
    seed: int


@dataclass(frozen=True)
class Versions:
    """One recording in every version of a job.

    Args:    refused: for each version why the network cannot take it, or "".
             samples, lengths: of the others, in order, as of `Prepared`.
    """

    id: str
    refused: tuple[str, ...]
    samples: Float32[np.ndarray, "taken channels *positions"]
    lengths: Int64[np.ndarray, " taken"]


def versions_of(names: Sequence[str], contract: Contract) -> tuple[Version, ...]:
    """Return the undisturbed version, and each strength of each disturbance that the channels suffice for.

    Where they suffice for none the weakest stays, and every recording says why it cannot be.
    """
    versions, n = [UNDISTURBED], len(contract.channels)
    for name in names:
        kind = DISTURBANCES[name]
        fitting = [strength for strength in kind.strengths if kind.channels(strength) <= n]
        versions += [(name, strength) for strength in fitting or kind.strengths[:1]]
    return tuple(versions)


def jobs(
    recordings: Sequence[Recording],
    read: Callable[[Recording], Signal],
    contract: Contract,
    names: Sequence[str],
    *,
    seed: int,
) -> list[Job]:
    """Return the work in pieces of some megabytes."""
    versions = versions_of(names, contract)
    size = max(1, _CHUNK_BYTES // (4 * int(np.prod(contract.input_shape)) * len(versions)))
    return [
        Job(tuple(recordings[start : start + size]), read, contract, versions, seed)
        for start in range(0, len(recordings), size)
    ]


def make_versions(job: Job) -> list[Versions]:
    """Read each recording once, and prepare it in every version."""
    return [_versions(job, recording) for recording in job.recordings]


def _versions(job: Job, recording: Recording) -> Versions:
    shape = job.contract.input_shape
    refused, rows, lengths = list[str](), list[np.ndarray](), list[int]()
    try:
        signal: Signal | None = _chosen(job.read(recording), job.contract)
    except VicinalError as error:
        signal, why = None, without_folder(str(error), recording)
    for version in job.versions:
        try:
            if signal is None:
                refused.append(why)
                continue
            signal_there, reason = _disturbed(signal, version, _draws(job.seed, recording.id, version[0]))
            if not reason:
                prepared = prepare(signal_there, job.contract)
                rows.append(prepared.samples)
                lengths.append(prepared.length)
            refused.append(reason)
        except VicinalError as error:
            refused.append(without_folder(str(error), recording))
    samples = np.stack(rows) if rows else np.empty((0, *shape), np.float32)
    return Versions(recording.id, tuple(refused), samples, np.array(lengths, np.int64))


def _draws(seed: int, identifier: str, name: str) -> np.random.Generator:
    # By recording and kind, so that neither order nor strength nor the model changes what is drawn.
    return np.random.default_rng([seed, int(sha256_bytes(f"{identifier}\n{name}".encode())[:16], 16)])


def _chosen(signal: Signal, contract: Contract) -> Signal:
    """Return the signal with the contract's channels alone, where it has them; others are not disturbed."""
    found = choose_channels(signal.channels, contract)
    if any(len(indices) != 1 for indices in found):
        return signal
    rows = [indices[0] for indices in found]
    return replace(
        signal,
        samples=signal.samples[rows],
        channels=tuple(signal.channels[row] for row in rows),
        units=tuple(signal.units[row] for row in rows),
    )


def _disturbed(signal: Signal, version: Version, rng: np.random.Generator) -> tuple[Signal, str]:
    """Return the signal disturbed, or as it is with the reason why it cannot be."""
    name, strength = version
    if version == UNDISTURBED:
        return signal, ""
    factors = [unit_factor("mV", unit) for unit in signal.units]
    known = [factor for factor in factors if factor is not None]
    recorded = Recorded(
        signal.samples, signal.rate_hz or 0.0, np.array(known) if len(known) == len(factors) else None
    )
    reason = impossible(DISTURBANCES[name], strength, recorded)
    if reason:
        return signal, reason
    made = DISTURBANCES[name].apply(recorded, strength, rng)
    return replace(signal, samples=made.samples, rate_hz=made.rate_hz), ""

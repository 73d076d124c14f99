"""`vicinal inspect`: what a network costs and what each unit of it sees."""

import re
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from vicinal.errors import ExperimentError, NetworkError
from vicinal.inputs.contract import Contract, unit_factor
from vicinal.inputs.datasets import synthetic
from vicinal.inputs.formats.reading import read
from vicinal.inputs.prepare import prepare
from vicinal.representations import inspection
from vicinal.representations.inspection import Inspection
from vicinal.representations.network import resolve
from vicinal.scores.inspection_page import write_page
from vicinal.workflow.contracting import load_contract

__all__ = [
    "HEART_RATE_PER_MIN",
    "draw_inspection",
    "inspect",
    "inspect_for",
    "is_ecg",
    "is_network",
    "parse_shape",
]

_SHAPE = re.compile(r"(\d+)((?:x\d+)+)(?:@(\d+(?:\.\d+)?))?")

_LEADS = re.compile(r"(ECG|EKG|LEAD|MLI{1,3}|I{1,3}|AV[RLF]|V[1-9]R?)\b.*", re.IGNORECASE)
HEART_RATE_PER_MIN = 60.0
"""At which windows are counted in heartbeats: one a second."""


def inspect(
    network: str, *, shape: str | None = None, contract_file: Path | None = None, n_outputs: int = 1
) -> Inspection:
    """Inspect a network text or preset, for what a contract lets in or for a stated shape.

    Args:    shape: such as "12x1000@100" (channels, points, Hz).
             contract_file: TOML or JSON, an experiment file, or a model.vicinal.  Just one of the two.
    Raises:  ExperimentError: when not just one of the two is given, or the shape is not of that form.
    """
    if (shape is None) == (contract_file is None):
        given = "neither" if shape is None else "both"
        raise ExperimentError(f"inspect: expected --input or --contract, got {given}. Give one of them.")
    if contract_file is not None:
        return inspect_for(network, load_contract(contract_file), n_outputs=n_outputs)
    input_shape, rate_hz = parse_shape(shape or "")
    return inspection.inspect(network, input_shape=input_shape, rate_hz=rate_hz, n_outputs=n_outputs)


def draw_inspection(
    found: Inspection, html: Path, *, recording: Path | None = None, contract_file: Path | None = None
) -> None:
    """Write a page with what each unit sees, over a recording or a made-up ECG.

    Args:    recording: prepared as the contract says; None: a synthetic ECG.
             contract_file: what `found` was inspected for; needed for a recording.
    Raises:  ExperimentError: when a recording comes without a contract, or there is no image to draw.
    """
    if recording is None:
        if len(found.input_shape) != 2:
            raise ExperimentError(
                "inspect: --html needs an image to draw this network over: give --recording and --contract, or a run."
            )
        write_page(html, found, _made_up(found), about="a synthetic ECG of one lead, of no person")
        return
    if contract_file is None:
        raise ExperimentError("inspect: --recording needs --contract, which says how it enters the network.")
    prepared = prepare(read(recording), load_contract(contract_file))
    samples = prepared.samples if prepared.samples.ndim > 2 else prepared.samples[:, : prepared.length]
    write_page(html, found, samples, about="a recording, as it enters the network")


def _made_up(found: Inspection) -> Float32[np.ndarray, "1 time"]:
    """Draw a heart as long as the input; as if at 100 Hz where no heart is sampled at such a rate."""
    n, rate_hz = found.input_shape[1], found.rate_hz or 100.0
    rate_hz = rate_hz if 50 <= rate_hz <= 2000 else 100.0
    duration_s = min(max(n / rate_hz + 0.5, 1.0), 3600.0)
    hearts = synthetic.catalogue(
        n_subjects=1, clips_per_subject=1, duration_s=duration_s, rate_hz=rate_hz, prevalence=0.0, snr_db=25.0
    )
    samples = synthetic.read(hearts.recordings[0]).samples
    return np.resize(samples[0], (1, n)).astype(np.float32)


def inspect_for(network: str, contract: Contract, *, n_outputs: int) -> Inspection:
    """Inspect a network for what a contract lets in; of an ECG, windows are counted in heartbeats too."""
    return inspection.inspect(
        network,
        input_shape=contract.input_shape,
        rate_hz=contract.position_rate_hz,
        n_outputs=n_outputs,
        heart_rate_per_min=HEART_RATE_PER_MIN if is_ecg(contract) else None,
    )


def is_network(text: str) -> bool:
    """Whether a text is a network or the name of a preset."""
    try:
        resolve(text)
    except NetworkError:
        return False
    return True


def is_ecg(contract: Contract) -> bool:
    """Whether the contract asks for voltages of channels that are named like the leads of an ECG."""
    leads = all(_LEADS.fullmatch(name.strip()) for name in contract.channels)
    return leads and contract.rate_hz is not None and unit_factor(contract.units, "mV") is not None


def parse_shape(text: str) -> tuple[tuple[int, ...], float | None]:
    """Parse CHANNELSxPOINTS@HZ; the rate may be left out.

    Raises:  ExperimentError: when it is not of that form.
    """
    found = _SHAPE.fullmatch(text.strip())
    if found is None:
        raise ExperimentError(f"--input {text!r}: expected CHANNELSxPOINTS@HZ, such as 12x1000@100 or 1x100.")
    channels, positions, rate = found.groups()
    shape = (int(channels), *(int(n) for n in positions[1:].split("x")))
    return shape, float(rate) if rate else None

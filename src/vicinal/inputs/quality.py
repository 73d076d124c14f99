"""Signal quality: one number from 0 to 1 for a recording, for looking at results by it.

Knows signals; must not know contracts, files or what a network makes of them.
"""

import numpy as np
from jaxtyping import Float32

from vicinal.inputs.contract import unit_factor
from vicinal.inputs.facts import facts
from vicinal.signal import Signal

__all__ = ["BAND_HZ", "quality"]

BAND_HZ = (1.0, 40.0)
"""Where an ECG has nearly all of its power; below lies what the baseline does, above what muscles and the mains add."""


def quality(signal: Signal) -> float | None:
    """Return how much of a recording is signal: the mean over its channels of usable share times share in band.

    The usable share is what is not missing, in a flat line or clipped, as of `facts`. The share in band is the power
    from 1 to 40 Hz over all power, without the mean; it counts for voltages alone, and is 1 for other units. The
    baseline index of Clifford, Behar, Li and Rezek (Physiol. Meas. 33, 2012) is power from 1 to 40 Hz over that from
    0 to 40 Hz; ours also counts what lies above, and what is not usable. It does not know whether a heart is
    well: wide slow beats lower it, and an electrode on the wrong limb does not.

    Returns: 0 (nothing usable) to 1; None where there is no time axis.
    """
    if signal.rate_hz is None:
        return None
    shares = []
    for one, unit, samples in zip(facts(signal).channels, signal.units, signal.samples, strict=True):
        flat, clipped = one.flat or 0.0, one.clipped or 0.0
        # A flat line at an extreme is both, and is not to be taken off twice.
        usable = max(0.0, 1.0 - one.missing - max(flat, clipped))
        in_band = _in_band(samples, signal.rate_hz) if unit_factor(unit, "mV") is not None else 1.0
        shares.append(usable * in_band)
    return float(np.mean(shares))


def _in_band(samples: Float32[np.ndarray, " time"], rate_hz: float) -> float:
    """Return the share of the power from 1 to 40 Hz; missing samples count as the mean, no power at all as none."""
    known = np.isfinite(samples)
    if not known.any():
        return 0.0
    centred = np.where(known, samples - samples[known].mean(dtype=np.float64), 0.0)
    power = np.abs(np.fft.rfft(centred)) ** 2
    power[0] = 0.0
    total = float(power.sum())
    frequency = np.fft.rfftfreq(len(samples), 1 / rate_hz)
    inside = (frequency >= BAND_HZ[0]) & (frequency <= BAND_HZ[1])
    return float(power[inside].sum()) / total if total > 0 else 0.0

"""Every error that Vicinal raises on purpose.

    VicinalError
    |- PathError         (OSError)       a path is missing, outside its folder, or cannot be written
    |- FormatError       (ValueError)    a file is not what it claims: recording, label table, pack, model
    |- ContractError     (ValueError)    a signal breaks its contract; holds every violation
    |- NetworkError      (ValueError)    a network text cannot be parsed or built
    |- ExperimentError   (ValueError)    an experiment file or a configuration is wrong
    |- RoleError         (TypeError)     rows of this role may not be used for this
    |- InfeasibleError   (ValueError)    no threshold can meet the aim on these rows
    |- TrainingError     (RuntimeError)  the optimisation failed: non-finite numbers, a run already finished
    |- ExtraError        (ImportError)   an optional dependency is not installed

A message says what was expected, what was found, where, and what to do. A `VicinalError` is for the user to
read; anything else that escapes is a bug of ours.
"""

import difflib
from collections.abc import Iterable

__all__ = [
    "ContractError",
    "ExperimentError",
    "ExtraError",
    "FormatError",
    "InfeasibleError",
    "NetworkError",
    "PathError",
    "RoleError",
    "TrainingError",
    "VicinalError",
    "did_you_mean",
]


class VicinalError(Exception):
    """The root of all intended errors."""


class PathError(VicinalError, OSError):
    """A path is missing, leaves the folder it was given for, or cannot be written."""


class FormatError(VicinalError, ValueError):
    """A file is not what it claims to be: a recording, a label table, a pack or a model."""


class ContractError(VicinalError, ValueError):
    """A signal does not fit the contract; the message lists every violation."""


class NetworkError(VicinalError, ValueError):
    """A network text cannot be parsed, or cannot be built for this input."""


class ExperimentError(VicinalError, ValueError):
    """An experiment file, an option or an argument is wrong; the message lists every problem."""


class RoleError(VicinalError, TypeError):
    """Rows of this role may not be used for this: test rows never fit anything."""


class InfeasibleError(VicinalError, ValueError):
    """No threshold can meet the aim with these rows; the message says what would be needed."""


class TrainingError(VicinalError, RuntimeError):
    """Training cannot go on: a non-finite loss, gradient or weight, or no rows to train on."""


class ExtraError(VicinalError, ImportError):
    """An optional dependency is missing; the message names the extra to install."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return the end of a message about an unknown word: the nearest known one, or all that are known."""
    names = [str(name) for name in known]
    near = difflib.get_close_matches(word, names, n=1, cutoff=0.5)
    if near:
        return f", did you mean {near[0]!r}?"
    return f"; known: {', '.join(names)}." if names else "."

"""Arrays and tensors alike: the few calls that both have, for rows that lie in memory or on a device.

A tensor brings its library with it, so nothing is imported here that would not be there anyway.
"""

import sys
from typing import Any

import numpy as np

__all__ = ["beside", "kind_of"]


def kind_of(x: Any) -> Any:
    """Return the library whose functions take `x`: NumPy, or that of the tensor."""
    return np if isinstance(x, np.ndarray) else sys.modules[type(x).__module__.partition(".")[0]]


def beside(x: Any, values: Any) -> Any:
    """Return an array where `x` lies, so that both can be used together."""
    return values if isinstance(x, np.ndarray) else kind_of(x).asarray(values, device=x.device)

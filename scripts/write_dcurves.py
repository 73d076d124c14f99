"""Write tests/evidence/dcurves.json: net benefit as dcurves has it, which our own is held against.

dcurves (of the method's authors) is no dependency, of development either: it brings pandas, statsmodels and lifelines.
With `pip install dcurves`, `python scripts/write_dcurves.py` makes the numbers again.
"""

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64

FILE = Path(__file__).parent.parent / "tests" / "evidence" / "dcurves.json"
CUTS = (0.01, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9)
PREVALENCES = (None, 0.05)


def rows() -> tuple[Float64[np.ndarray, " n"], Float64[np.ndarray, " n"]]:
    """Return truth and probability of 240 rows, without a draw."""
    k = np.arange(240)
    p = ((37 * k) % 241 + 0.5) / 241
    return ((53 * k) % 97 / 97 < p**1.5).astype(float), p


def reference() -> dict[str, Any]:
    """Return the numbers of dcurves; at another prevalence for probabilities whose odds are moved to it."""
    import dcurves
    import pandas

    y, p = rows()
    found = []
    for q in PREVALENCES:
        ratio = 1.0 if q is None else q / (1 - q) * (1 - y.mean()) / y.mean()
        frame = pandas.DataFrame({"y": y, "p": p * ratio / (p * ratio + 1 - p)})
        stated = {} if q is None else {"prevalence": q}
        made = dcurves.dca(data=frame, outcome="y", modelnames=["p"], thresholds=CUTS, **stated)
        benefit = {name: made.loc[made["model"] == name, "net_benefit"].tolist() for name in ("p", "all")}
        found.append({"prevalence": q, "model": benefit["p"], "treat_all": benefit["all"]})
    return {
        "made_by": "python scripts/write_dcurves.py",
        "version": version("dcurves"),
        "cuts": list(CUTS),
        "net_benefit": found,
    }


if __name__ == "__main__":
    FILE.write_text(json.dumps(reference(), indent=2) + "\n")

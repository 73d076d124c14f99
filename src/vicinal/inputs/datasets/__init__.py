"""Data sets by name: each module has `catalogue(root, **options)` and `read(recording)`."""

from types import ModuleType

from vicinal.inputs.datasets import cinc2017, digits, folder, fsdd, mitdb, ptbxl, synthetic, ucr

__all__ = ["DATASETS"]

DATASETS: dict[str, ModuleType] = {
    "cinc2017": cinc2017,
    "digits": digits,
    "folder": folder,
    "fsdd": fsdd,
    "mitdb": mitdb,
    "ptbxl": ptbxl,
    "synthetic": synthetic,
    "ucr": ucr,
}

"""Data sets by name: each module has `catalogue(root, **options)` and `read(recording)`."""

from types import ModuleType

from vicinal.inputs.datasets import cinc2017, folder, mitdb, synthetic

__all__ = ["DATASETS"]

DATASETS: dict[str, ModuleType] = {
    "cinc2017": cinc2017,
    "folder": folder,
    "mitdb": mitdb,
    "synthetic": synthetic,
}

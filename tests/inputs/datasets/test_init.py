import inspect

from vicinal.inputs.datasets import DATASETS


def test_every_data_set_has_a_catalogue_and_a_reader() -> None:
    for name, module in DATASETS.items():
        assert module.__name__ == f"vicinal.inputs.datasets.{name}"
        assert next(iter(inspect.signature(module.catalogue).parameters)) == "root"
        assert list(inspect.signature(module.read).parameters) == ["recording"]

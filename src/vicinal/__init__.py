"""Vicinal: networks with the right inductive bias for signals, from files to decisions.

`read(path) -> Signal`, `load(path) -> Model` and `SignalClassifier` are resolved on first use, so that
`import vicinal` costs next to nothing.
"""

__all__ = ["SignalClassifier", "__version__", "load", "read"]

__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    if name == "read":
        from vicinal.inputs.formats.reading import read

        return read
    if name == "load":
        from vicinal.scores.model import Model

        return Model.load
    if name == "SignalClassifier":
        from vicinal.estimator import SignalClassifier

        return SignalClassifier
    raise AttributeError(f"module 'vicinal' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__

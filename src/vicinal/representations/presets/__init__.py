"""Well-known networks, as text: one `.net` file each. A preset enters with a measured reason."""

from importlib.resources import files

__all__ = ["NETWORKS"]


def _read(name: str) -> str:
    return files("vicinal.representations.presets").joinpath(f"{name}.net").read_text(encoding="utf-8")


NETWORKS: dict[str, str] = {
    "founding": _read("founding"),
    "inception1d": _read("inception1d"),
    "lenet": _read("lenet"),
    "lstm_bidir": _read("lstm_bidir"),
    "minirocket": _read("minirocket"),
    "resnet1d": _read("resnet1d"),
    "transformer1d": _read("transformer1d"),
    "xresnet1d101": _read("xresnet1d101"),
}

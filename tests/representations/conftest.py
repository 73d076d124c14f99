"""The layers' shape annotations become checks while these tests run: installed before a layer is imported."""

from jaxtyping import install_import_hook

install_import_hook("vicinal.representations.layers", "beartype.beartype")

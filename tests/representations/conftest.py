"""Shape annotations become checks while these tests run; imported before any test module of this folder."""

from jaxtyping import install_import_hook

install_import_hook("vicinal.representations", "beartype.beartype")

"""What holds for the tests of networks and layers."""

from jaxtyping import install_import_hook

# The layers' shape annotations become checks: installed before a layer is imported.
install_import_hook("vicinal.representations.layers", "beartype.beartype")

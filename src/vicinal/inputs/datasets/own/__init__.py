"""One's own data: how a folder is laid out, and the catalogue of what it holds; one module a layout."""

"""One module per command: each wires the rooms together and computes nothing itself."""

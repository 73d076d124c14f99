"""From data that nobody has described to a first experiment: each choice with its reason."""

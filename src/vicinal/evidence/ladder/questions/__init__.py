"""The questions of a comparison, each with the rule by which it is answered."""

"""The leakage auditor: what reaches from training into test."""

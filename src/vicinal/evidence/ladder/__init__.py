"""Networks compared: what each bias costs and buys, from score tables to sentences."""

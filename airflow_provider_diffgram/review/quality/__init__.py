"""How good predictions were: each beside what people left, the figures, and the limits."""

"""Learning: samples, and what is trained on them."""

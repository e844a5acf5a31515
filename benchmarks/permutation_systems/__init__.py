"""The systems of the permutation benchmark beside ours, and the small modules that drive them."""

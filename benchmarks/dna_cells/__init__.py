"""The cells of the benchmark of sequences: data, systems, what is measured, and the page."""

"""Version of the distribution, read by the build and stamped into artifacts."""

__version__ = "0.1.0"

"""Errors that callers may want to catch; every other complaint is a ValueError or TypeError."""


class IntarsiaError(Exception):
    """Root of the errors of this package."""


class NotFittedError(IntarsiaError, ValueError, AttributeError):
    """A fitted attribute was asked for before `fit`.

    It is also a ValueError and an AttributeError, as scikit-learn's error of the same name is.
    """


class ArtifactError(IntarsiaError, ValueError):
    """A saved model is truncated, altered, hostile, or of a version that this code cannot read."""


class RequirementError(IntarsiaError, TypeError):
    """A sampler, objective or guidance was given a process or denoiser that it is not defined for."""


class MissingExtraError(IntarsiaError, ImportError):
    """An optional library is not installed; the message names the extra that brings it."""

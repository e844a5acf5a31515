"""Tables of mixed columns: synthesis, conditioning, imputation, scoring and reports.

The names below are loaded when they are first used, so that reading a file does not import the network.
"""

from intarsia._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "_evaluation": ("evaluate_tables",),
        "_read": ("read_table",),
        "_synthesizer": ("TabularSynthesizer",),
        "_table_error": ("TableError",),
        "_write": ("TableWriter", "write_table"),
        "recipes": ("AbsorbingDigits", "AbstractRecipe"),
    },
)

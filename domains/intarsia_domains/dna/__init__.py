"""DNA and RNA sequences: files, designs under hard constraints, metrics with floors, oracles and pictures.

The names below are loaded when they are first used, so that reading a file does not import a network.
"""

from intarsia._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "_alphabet": ("DNA", "RNA", "Alphabet"),
        "_autoregressive": ("AutoregressiveModel", "fit_autoregressive"),
        "_conditions": ("AbstractCondition", "ClassLabel", "Conditions", "Scalar", "Signal"),
        "_constrained": ("ConditionedMarginals", "JointDraw"),
        "_constraints": ("AbstractConstraint", "Avoid", "GCWindow", "Keep", "Length", "MaxRun", "Require"),
        "_designer": ("SequenceDesigner",),
        "_evaluation": ("evaluate_sequences",),
        "_figures": ("activity_figure", "k_mer_figure", "motif_figure"),
        "_k_mers": ("js_distance", "js_floor", "k_mer_counts"),
        "_markov": ("MarkovModel", "fit_markov"),
        "_motif_hits": ("Hits", "find_motifs"),
        "_motifs": ("Motif", "read_motifs"),
        "_nearest": ("near_copies", "nearest_edit"),
        "_network_oracle": ("NetworkOracle", "train_network_oracle"),
        "_networks": ("AbstractNetwork", "DilatedCNN", "SequenceTransformer"),
        "_noises": ("Absorbing", "AbstractNoise", "AnalogBits", "Marginal", "Multinomial", "Simplex"),
        "_oracle": ("Oracle", "train_oracle"),
        "_parts": ("disjoint_parts",),
        "_pictures": ("draw_logo", "logo_figure", "map_figure", "strip_figure"),
        "_read": ("Labelled", "read_bed", "read_labelled", "read_sequences"),
        "_rules": ("Rules", "compile_constraints"),
        "_sequence_error": ("SequenceError",),
        "_sequences": ("Sequences",),
        "_shuffle": ("pair_shuffled", "shuffled"),
        "_strands": ("AbstractStrands", "AveragedStrands", "OneStrand", "SharedStrands"),
        "_write": ("write_csv", "write_fasta", "write_genbank"),
    },
)

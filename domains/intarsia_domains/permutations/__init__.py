"""Permutations: rankings, their files, statistics and pictures.

The names below are loaded when they are first used.
"""

from intarsia._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "_arranger": ("Arranger", "shorten"),
        "_arranger_chain": ("AbstractDecoder", "Beam", "Draw", "Greedy"),
        "_arranger_shapes": ("AbstractShape", "Line", "Tour"),
        "_arranger_spread": ("Spread",),
        "_consensus": ("Consensus", "borda", "borda_scores", "kemeny", "pairwise_matrix", "rank_matrix"),
        "_encoders": ("AbstractEncoder", "ImageEncoder", "PointEncoder", "VectorEncoder"),
        "_encoders_items": ("Parts",),
        "_evaluation": ("evaluate_rankings",),
        "_figures": ("mixing_figure", "pairwise_figure", "rank_figure", "strip_figure"),
        "_figures_plane": ("jigsaw_figure", "tour_figure"),
        "_jigsaw": ("Jigsaws",),
        "_metrics": ("correct_share", "exact_share", "footrule", "kendall_distance", "kendall_tau"),
        "_preflib": ("read_preflib", "write_preflib"),
        "_ranking_base": ("AbstractRankingLaw", "Scores"),
        "_ranking_given": ("Given",),
        "_ranking_lehmer": ("LehmerCodec", "LehmerDigits"),
        "_ranking_model": ("RankingModel",),
        "_ranking_noise": ("AbstractRankingNoise", "Shuffles", "Size"),
        "_ranking_pointer": ("Pointer",),
        "_rankings": ("Rankings", "Unranked"),
        "_read_rankings": ("read_rankings", "write_rankings"),
        "_sorting": ("DigitSorting",),
        "_ties": ("AbstractTies", "ItemOrder", "RandomTies", "RefuseTies", "TailTies"),
        "_tours": ("local_search", "nearest_neighbour", "searched_tours", "tour_lengths"),
        "_tsplib": ("TspInstance", "read_tour", "read_tsplib", "write_tour", "write_tsplib"),
    },
)

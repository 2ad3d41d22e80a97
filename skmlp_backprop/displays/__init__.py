"""Displays of networks, tables, samples, trainings and searches, as in scikit-learn.

They need matplotlib: ``pip install matplotlib``.
"""

from ._halving_results import HalvingResultsDisplay
from ._hidden_units import HiddenUnitsDisplay
from ._importances import ImportancesDisplay
from ._loss_curve import LossCurveDisplay
from ._sample_grid import SampleGridDisplay
from ._search_results import SearchResultsDisplay

__all__ = [
    "HalvingResultsDisplay",
    "HiddenUnitsDisplay",
    "ImportancesDisplay",
    "LossCurveDisplay",
    "SampleGridDisplay",
    "SearchResultsDisplay",
]

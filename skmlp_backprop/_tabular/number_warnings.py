"""Warnings of new numbers that are unlike those of `fit`."""

import numpy as np

from .._network.warning import warn
from .encodings import MIN_ROWS, are_most, varies

# The remedy.
_CHECK_NUMBERS = (
    "If the column has another unit or other codes now, or points between thousands, "
    "convert it."
)
# A warning names so many other columns.
_N_NAMED = 5
# Differences of this relative size come from rounding to float32.
_ROUNDING = 1e-6
# If no number of a column is whole any more, this number of rows suffices.
_FEWEST_ROWS = 3


class KnownNumbers:
    """What columns of numbers had in `fit`, and warnings of other numbers.

    A single value in all new rows is no sign of another unit: the rows may be those of
    a year, or of a shop.

    Parameters
    ----------
    encodings : list of NumberEncoding
        The encodings of the columns.
    """

    def __init__(self, encodings):
        bounds = np.array([(e.lowest / e.unit, e.highest / e.unit) for e in encodings])
        bounds = bounds.reshape(-1, 2)
        self._lowest, self._highest = bounds.T
        # A value of `fit` may be rounded to float32 later.
        sizes = np.abs(bounds).max(axis=1)
        self._margins = _ROUNDING * np.where(sizes < np.finfo(np.float32).max, sizes, 0)
        self._are_whole = np.array([e.are_whole for e in encodings], bool)
        with np.errstate(over="ignore"):
            is_step = self._highest - self._lowest == 1
        # Codes such as 0 and 1.
        self._had_two_codes = self._are_whole & is_step

    def warn_of_others(self, columns):
        """Warn of columns most of whose numbers are unlike those of `fit`.

        Parameters
        ----------
        columns : list of Column of n_rows
            The columns of new rows.
        """
        if len(columns[0].values) < _FEWEST_ROWS:
            return
        names = [column.name for column in columns]
        values = np.stack([column.values for column in columns], axis=1)
        counts = np.count_nonzero(~np.isnan(values), axis=0)
        are_outside = self._warn_of_other_range(names, values, counts)
        self._warn_of_fractions(names, values, counts, ~are_outside)

    def _warn_of_other_range(self, names, values, counts):
        """Warn of numbers outside the range; return which columns count as outside."""
        is_outside = values < self._lowest - self._margins
        is_outside |= values > self._highest + self._margins
        n_outside = np.count_nonzero(is_outside, axis=0)
        are_outside = are_most(n_outside, counts)
        # A tenth suffices if two codes such as 0 and 1 have become 1 and 2.
        are_many = (counts >= MIN_ROWS) & (10 * n_outside > counts)
        for i in np.flatnonzero(self._had_two_codes & are_many).tolist():
            codes = self._lowest[i], self._highest[i]
            are_outside[i] |= not np.isin(codes, values[:, i]).all()
        found = [
            i for i in np.flatnonzero(are_outside).tolist() if varies(values[:, i])
        ]
        were_constant = self._lowest == self._highest
        if constant := [i for i in found if were_constant[i]]:
            i = constant[0]
            warn(
                f"Column {names[i]} had the value {self._lowest[i]:.10g} alone in "
                f"`fit`, but now has others in {n_outside[i]} of {counts[i]} rows, "
                f"which have no effect on the predictions.{_others(names, constant)} "
                "Fit to rows in which the column varies, or drop it."
            )
        if varied := [i for i in found if not were_constant[i]]:
            i = varied[0]
            warn(
                f"Column {names[i]} has {n_outside[i]} of {counts[i]} numbers outside "
                f"the range of `fit`, from {self._lowest[i]:.10g} to "
                f"{self._highest[i]:.10g}."
                f"{_others(names, varied)} The networks continue no trend there. "
                f"{_CHECK_NUMBERS}"
            )
        return are_outside

    def _warn_of_fractions(self, names, values, counts, are_inside):
        """Warn of columns inside the range that had whole numbers alone."""
        found, fractions = [], {}
        for i in np.flatnonzero(self._are_whole & are_inside).tolist():
            column = values[:, i]
            fractions[i] = column[np.abs(column - np.rint(column)) > _ROUNDING]
            n_fractions = len(fractions[i])
            are_all = n_fractions == counts[i] and n_fractions >= _FEWEST_ROWS
            if (are_all or are_most(n_fractions, counts[i])) and varies(column):
                found.append(i)
        if found:
            i = found[0]
            warn(
                f"Column {names[i]} had whole numbers in `fit`, but now has "
                f"{len(fractions[i])} of {counts[i]} numbers such as "
                f"{fractions[i][0]:.10g}."
                f"{_others(names, found)} {_CHECK_NUMBERS}"
            )


def _others(names, found):
    """The sentence on the found columns after the first, or nothing."""
    others = [names[i] for i in found[1:]]
    if not others:
        return ""
    more = "" if len(others) <= _N_NAMED else f" and {len(others) - _N_NAMED} others"
    return f" The same is true of {', '.join(others[:_N_NAMED])}{more}."

"""Converts dates, times of day and time spans to microseconds."""

import datetime
import re
from numbers import Real
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from .._estimators.checks import is_missing, plain_repr

# Kinds of columns, in the words of messages.
DATES, TIMES, SPANS = "dates", "times of day", "time spans"

_TYPES = {
    DATES: (datetime.date, np.datetime64),
    TIMES: (datetime.time,),
    SPANS: (datetime.timedelta, np.timedelta64),
}
_REMEDIES = {
    DATES: "Convert it to dates, such as by pandas.to_datetime",
    TIMES: "Convert it to datetime.time, such as by Series.dt.time after to_datetime",
    SPANS: "Convert it to time spans, such as by pandas.to_timedelta",
}
# pandas takes numbers for nanoseconds.
_UNITS = {
    DATES: (
        " as before the fit, with unit='s' if the numbers are seconds since 1970, or "
        "with format='%Y%m%d' if they are such as 20240131"
    ),
    SPANS: " with the unit of the numbers, such as unit='s'",
}
_MICROSECOND = np.timedelta64(1, "us")
# The microseconds of dates in these years fit into int64.
_MAX_YEARS_FROM_1970 = 290_000
_OFFSET = re.compile(r"(?:UTC)?(?:([+-])([0-9]{2}):?([0-9]{2}))?")
# Python can convert the dates from the first to the last of these between zones.
_PYTHON_RANGE = np.array(["0001-01-03", "9999-12-29"], "M8[us]")


def kind_of(value):
    """The kind of a value: DATES, TIMES, SPANS, or None for all other values."""
    for kind, types in _TYPES.items():
        # NaT of pandas is an instance of datetime.
        if isinstance(value, types):
            return None if is_missing(value) else kind
    return None


def refuse_other_values(name, kind, value):
    """Raise ValueError for a value in a column that had another kind in `fit`."""
    remedy = _REMEDIES[kind]
    if kind in _UNITS and isinstance(value, Real) and not isinstance(value, bool):
        remedy += _UNITS[kind]
    raise ValueError(
        f"Column {name} had {kind} in `fit`, but now has other values, such as "
        f"{plain_repr(value)}. {remedy}."
    )


class Moments:
    """The values of a column of dates or of times of day.

    Parameters
    ----------
    name : str
        The name of the column in messages, with quotes.

    kind : str
        DATES or TIMES.

    values : ndarray of datetime64 or list of objects, of length n_rows
        The values; an array has dates in UTC.

    zone : str or None
        The name of the time zone of an array.

    Attributes
    ----------
    utc : ndarray of shape (n_rows,), datetime64[us]
        The dates in UTC, NaT for a missing value.

    wall : ndarray of shape (n_rows,), datetime64[us], or None
        The dates as clocks show them in their time zone. None if not known yet.

    zones : set of str or None
        The names of the time zones. None stands for dates without a zone.

    Raises
    ------
    ValueError
        If values are of another kind.
    """

    def __init__(self, name, kind, values, zone):
        self.name = name
        if isinstance(values, np.ndarray):
            self.utc = _to_unit(name, values)
            self.wall = self.utc if zone is None else None
            self.zones = {zone}
            return
        walls, offsets, self.zones = [], [], set()
        for value in values:
            wall, offset = None, None
            if not is_missing(value):
                _refuse_mixture(name, kind, value)
                wall, offset = _wall_and_offset(name, value)
                self.zones.add(None if offset is None else zone_name(value.tzinfo))
            walls.append(wall)
            offsets.append(offset or datetime.timedelta(0))
        self.wall = np.array(walls, "M8[us]")
        self.utc = self.wall - np.array(offsets, "m8[us]")

    def only_zone(self):
        """The time zone of all values; several raise a ValueError."""
        if len(self.zones) > 1:
            zones = ", ".join(sorted(zone or "none" for zone in self.zones))
            raise ValueError(
                f"Column {self.name} has dates of several time zones ({zones}). "
                "Convert them to a single zone, such as by pandas.to_datetime with "
                "utc=True, and by Series.dt.tz_convert."
            )
        return next(iter(self.zones), None)

    def wall_in(self, zone):
        """Return the dates as clocks show them in the time zone of `fit`."""
        if np.isnat(self.utc).all():
            return self.utc
        for own in self.zones:
            if own is None and zone is not None:
                raise ValueError(
                    f"Column {self.name} had dates in the time zone {zone} in `fit`, "
                    "but now has dates without a zone. Add their zone, such as by "
                    "Series.dt.tz_localize of pandas. Dates that were converted from "
                    "numbers are in UTC."
                )
            if own is not None and zone is None:
                raise ValueError(
                    f"Column {self.name} had dates without a time zone in `fit`, but "
                    f"now has dates in the zone {own}. Convert them to the local time "
                    "of `fit`, and remove the zone, such as by Series.dt.tz_convert "
                    "and Series.dt.tz_localize(None) of pandas."
                )
        if self.zones <= {zone} and self.wall is not None:
            return self.wall
        if not is_known_zone(zone):
            raise ValueError(
                f"Column {self.name} has dates in {', '.join(sorted(self.zones))}, but "
                f"had the time zone {zone} in `fit`, which Python does not know. "
                "Convert the column to that zone."
            )
        return self.utc + _offsets(self.utc, _find_zone(zone))


def _wall_and_offset(name, value):
    """A date or time of day as clocks show it, and its offset from UTC or None."""
    if isinstance(value, datetime.time):
        if value.tzinfo is not None:
            raise ValueError(
                f"Column {name} has times of day with a time zone, such as "
                f"{value!r}. Convert them to times without a zone."
            )
        return datetime.datetime.combine(datetime.date(1970, 1, 1), value), None
    if isinstance(value, datetime.datetime):
        return value.replace(tzinfo=None), value.utcoffset()
    if isinstance(value, np.datetime64):
        return _to_unit(name, np.array([value]))[0], None
    return value, None


def zone_name(zone):
    """The name of a tzinfo.

    A fixed offset is named by its offset: its own name may be that of a time zone with
    other offsets, such as "EST".
    """
    if isinstance(zone, datetime.timezone):
        zone = datetime.timezone(zone.utcoffset(None))
    return str(zone)


def is_known_zone(zone):
    """Whether Python knows the name of a time zone. None stands for no zone."""
    return zone is None or _find_zone(zone) is not None


def to_microseconds(moments):
    """Microseconds since 1970 as float64, NaN for a missing value."""
    return np.where(np.isnat(moments), np.nan, moments.astype(np.int64))


def to_spans(name, values):
    """Convert time spans to microseconds, float64, NaN for a missing value.

    Parameters
    ----------
    name : str
        The name of the column in messages, with quotes.

    values : ndarray of timedelta64 or list of objects
        The time spans.

    Raises
    ------
    ValueError
        If values are no time spans, or if a unit is years or months, or if there is no
        unit.
    """
    if not isinstance(values, np.ndarray):
        spans = np.full(len(values), np.nan)
        for row, value in enumerate(values):
            if not is_missing(value):
                _refuse_mixture(name, SPANS, value)
                if isinstance(value, np.timedelta64):
                    spans[row] = to_spans(name, np.array([value]))[0]
                else:
                    spans[row] = value / datetime.timedelta(microseconds=1)
        return spans
    unit, count = np.datetime_data(values.dtype)
    if np.isnat(values).all():
        return np.full(values.shape, np.nan)
    if unit in ("Y", "M", "generic"):
        raise ValueError(
            f"Column {name} has time spans of the type {values.dtype}, whose unit has "
            "no fixed length. Convert them to days or to a smaller unit, such as by "
            "astype('m8[D]')."
        )
    return to_microseconds(values) * (np.timedelta64(count, unit) / _MICROSECOND)


def _refuse_mixture(name, kind, value):
    if kind_of(value) != kind:
        raise ValueError(
            f"Column {name} has {kind}, but also other values, such as "
            f"{plain_repr(value)}. {_REMEDIES[kind]}, and missing values to None."
        )


def _to_unit(name, moments):
    """Convert datetime64 of any unit to microseconds; smaller digits are cut off."""
    years = moments.astype("M8[Y]").astype(np.int64)[~np.isnat(moments)]
    if (np.abs(years) > _MAX_YEARS_FROM_1970).any():
        raise ValueError(
            f"Column {name} has dates more than {_MAX_YEARS_FROM_1970} years from "
            "1970. Replace them by NaT for a missing value."
        )
    return moments.astype("M8[us]")


def _offsets(utc, zone):
    """Offsets of a time zone from UTC, an array of timedelta64.

    A million dates of some years have few days. So the offsets are looked up by the
    day, except on the days on which they change.
    """
    day = np.timedelta64(1, "D")
    days, index = np.unique(utc.astype("M8[D]"), return_inverse=True)
    at_start, at_end = _look_up(days, zone), _look_up(days + day, zone)
    offsets, changes = at_start[index], (at_start != at_end)[index]
    offsets[changes] = _look_up(utc[changes], zone)
    return offsets


def _look_up(utc, zone):
    moments = np.clip(utc.astype("M8[us]"), *_PYTHON_RANGE).tolist()
    offsets = [
        moment and moment.replace(tzinfo=datetime.UTC).astimezone(zone).utcoffset()
        for moment in moments
    ]
    return np.array(offsets, "m8[us]")


def _find_zone(zone):
    """Find a time zone by its name, such as "UTC+01:00", or None."""
    if offset := _OFFSET.fullmatch(zone):
        sign, hours, minutes = offset.groups(default="0")
        offset = datetime.timedelta(hours=int(hours), minutes=int(minutes))
        return datetime.timezone(-offset if sign == "-" else offset)
    try:
        return ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        return None

"""Recognises text that stands for a number, a date or a missing value."""

import re

_NUMBER = re.compile(
    r"[+-]?(([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?|inf|infinity)", re.IGNORECASE
)
# Numbers with thousands separators or a decimal comma.
_SEPARATED = [
    r"[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?",
    # Lakhs, as in 1,00,000.
    r"[0-9]{1,2}(,[0-9]{2})+,[0-9]{3}(\.[0-9]+)?",
    r"[0-9]{1,3}(\.[0-9]{3})+,[0-9]+",
    r"[0-9]{1,3}([ '\u00a0\u2009\u2019\u202f][0-9]{3})+([.,][0-9]+)?",
    r"[0-9]+([.,][0-9]+)?",
]
_SIGNED = rf"[+\-\u2212]?({'|'.join(_SEPARATED)})"
# The same with a currency sign or a percent sign.
_SIGN = "$€£¥₩₹₺₽"
# Some accounting programs write the minus after the number. Grades, such as "2-", are
# shorter.
_ALMOST_NUMBER = re.compile(
    rf"\(?[+\-\u2212]?[{_SIGN}]?\s*{_SIGNED}\s*[%‰{_SIGN}]?\)?"
    rf"|(?=.*([0-9]{{3}}|[0-9][.,][0-9])){_SIGNED}\s?[\-\u2212]"
    # A spreadsheet's formula of a number, such as ="12.5"; ="007" is a code.
    rf"|=\"?(?!0[0-9]){_SIGNED}\"?|'(?!0[0-9]){_SIGNED}"
)
# The same with a unit after it, such as "70.1 kg" and "5 days", or with a currency code
# before it. Ordinals, such as "3rd", have no unit. Most single letters after a digit
# are parts of codes, such as "12B".
_UNIT = r"(?!(st|nd|rd|th)\b)(?P<unit>[°µ]?[^\W\d_]+(/[^\W\d_]+)?(\^?[23]|[²³])?)\.?"
_CODE = re.compile(r".*[0-9][^\W\d_]")
_UNITS_OF_A_LETTER = set("gmlhstkKML")
_CURRENCY = (
    "EUR|USD|GBP|JPY|CNY|INR|CHF|CAD|AUD|NZD|SEK|NOK|DKK|PLN|CZK|HUF|RON|BRL|MXN|ZAR|"
    "KRW|SGD|HKD|TRY|RUB|ILS|THB|US\\$|R\\$|Rs\\.?"
)
_WITH_UNIT = re.compile(
    rf"[{_SIGN}]?{_SIGNED}\s*{_UNIT}"
    rf"|(?P<currency>{_CURRENCY})\s*{_SIGNED}"
)
# A limit, such as "<0.5" for a value below the limit of detection.
_LIMIT = re.compile(rf"[<>≤≥]=?\s*{_SIGNED}")
# Numbers with points separate thousands if there are so many of them, or more.
_MANY_THOUSANDS = 10
_WHOLE_BELOW_1000 = re.compile(r"[+-]?(0|[1-9][0-9]{0,2})")
_THOUSANDS = re.compile(r"[+-]?[1-9][0-9]{0,2}(\.[0-9]{3})+")
_LEADING_ZERO = re.compile(r"[+-]?0[0-9]")
_INTEGER = re.compile(r"[+-]?[0-9]+")
# float64 has all integers up to this size.
_MAX_EXACT = 2**53
# Compared in lower case.
MISSING = {"", "?", "-", "--", ".", "na", "n/a", "n.a.", "#n/a", "<na>", "nan"}
MISSING |= {"null", "none", "nat", "#null!", "#value!", "#div/0!"}
MISSING |= {"#ref!", "#name?", "#num!"}
_TRUTH = {"true": 1.0, "false": 0.0}

_DAY = r"(0?[1-9]|[12][0-9]|3[01])"
_NUMBER_OF_MONTH = r"(0?[1-9]|1[0-2])"
_YEAR = r"(1[6-9]|2[0-2])[0-9]{2}"
_TIME = r"([01]?[0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.,][0-9]+)?)?(\s*[ap]m)?"
_HOUR = r"([0-9]{2}|[0-9]{1,2}\s*[ap]m)"
_BASIC_TIME = r"([01][0-9]|2[0-3])([0-5][0-9]){1,2}([.,][0-9]+)?"
# Offsets of time zones lie between -12 and +14 hours.
_ZONE = r"\s*(z|utc|[a-z]{1,3}t|(\+(0[0-9]|1[0-4])|-(0[0-9]|1[0-2]))(:?[0-5][0-9])?)?"
_MONTH = (
    r"(jan(uary)?|feb(ruary)?|mar(ch)?|apr(il)?|may|june?|july?|aug(ust)?|"
    r"sept?(ember)?|oct(ober)?|nov(ember)?|dec(ember)?)\.?"
)
_WEEKDAY = r"((mon|tues?|wed(nes)?|thu(rs)?|fri|sat(ur)?|sun)(day)?,? )?"
# Pairs of years, such as 2008/09, are no months.
_PAIR_OF_YEARS = "|".join(f"{year:02}[/_]{year + 1:02}" for year in range(12))
# In German, Dutch, French, Spanish, Portuguese, Italian and Russian.
_OTHER_MONTHS = (
    "januar|februar|märz|mai|juni|juli|oktober|dezember|januari|februari|maart|mei|"
    "augustus|janvier|février|mars|avril|juin|juillet|août|septembre|octobre|novembre|"
    "décembre|enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|"
    "noviembre|diciembre|janeiro|fevereiro|março|maio|junho|julho|setembro|outubro|"
    "novembro|dezembro|gennaio|febbraio|aprile|maggio|giugno|luglio|settembre|ottobre|"
    "dicembre|января|февраля|марта|апреля|мая|июня|июля|августа|сентября|октября|"
    "ноября|декабря"
)
_DAYS = [
    rf"{_YEAR}[-/._ ]{_NUMBER_OF_MONTH}[-/._ ]{_DAY}",
    rf"{_DAY}[-/._ ]{_NUMBER_OF_MONTH}[-/._ ]{_YEAR}",
    rf"{_NUMBER_OF_MONTH}[-/_ ]{_DAY}[-/_ ]{_YEAR}",
    rf"({_DAY}/{_NUMBER_OF_MONTH}|{_NUMBER_OF_MONTH}/{_DAY})/[0-9]{{2}}",
    rf"{_DAY}\.{_NUMBER_OF_MONTH}\.[0-9]{{2}}",
    rf"{_DAY}(st|nd|rd|th)?[-/._ ]{{1,2}}{_MONTH}[-/_ ,]*({_YEAR}|[0-9]{{2}})",
    # Codes such as 01-02-03 have small numbers: only days and years from 13 on.
    r"(1[3-9]|2[0-9]|3[01])-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])",
    rf"{_DAY}{_MONTH}{_YEAR}",
    rf"{_DAY}\.? (de )?({_OTHER_MONTHS}) (de )?{_YEAR}",
    rf"{_YEAR}\s?[年년]\s?{_NUMBER_OF_MONTH}\s?[月월](\s?{_DAY}\s?[日일])?",
    rf"{_MONTH} {_DAY}(st|nd|rd|th)?(,? {_YEAR}|, [0-9]{{2}})?",
    rf"{_YEAR}[-/._ ]{_MONTH}([-/._ ]{_DAY})?",
    # Months, quarters and weeks.
    rf"{_YEAR}-(0[1-9]|1[0-2])",
    rf"(?!..({_PAIR_OF_YEARS})){_YEAR}[/_](0[1-9]|1[0-2])",
    rf"{_NUMBER_OF_MONTH}[-/]{_YEAR}",
    rf"{_MONTH}[- ]({_YEAR}|[0-9]{{2}})",
    rf"{_YEAR}[-/ ]?q[1-4]",
    rf"q[1-4][-/ ]?{_YEAR}",
    rf"{_YEAR}-?w[0-9]{{2}}(-[1-7])?",
]
_DATE = re.compile(
    rf"{_WEEKDAY}({'|'.join(_DAYS)})"
    rf"(\s?(z|utc|gmt)|(, ?|[t:_ ]\s*)({_TIME}|{_HOUR}){_ZONE})?"
    # The basic format of ISO 8601.
    rf"|{_YEAR}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])[t_ ]{_BASIC_TIME}{_ZONE}"
    # A minus stands between opening hours, such as 8:00-12:00.
    rf"|(?!.*-){_TIME}{_ZONE}"
    # Time spans of more than a day, such as 69:12:05.
    r"|[0-9]{2,4}:[0-5][0-9]:[0-5][0-9]"
    # The format of C's ctime, and the time spans of pandas and Python.
    rf"|{_WEEKDAY}{_MONTH} +{_DAY} {_TIME} {_YEAR}"
    rf"|-?[0-9]+ days?,? [+-]?{_TIME}",
    re.IGNORECASE,
)

# How pandas converts a column {0} of times of day and time spans, and of dates that its
# to_datetime refuses, or takes for other ones.
_CONVERSIONS_OF_TIMES = [
    # pandas.to_datetime alone adds today's date to a time.
    (_TIME, "pandas.to_datetime({0}, format='mixed').dt.time"),
    (
        rf"{_TIME}{_ZONE}",
        "pandas.to_datetime('2000-01-01 ' + {0}, format='mixed', utc=True).dt.time",
    ),
    (r"[0-9]+:[0-5][0-9]:[0-5][0-9]|-?[0-9]+ days?,? .*", "pandas.to_timedelta({0})"),
]
_CONVERSIONS = [
    *_CONVERSIONS_OF_TIMES,
    # pandas.to_datetime alone takes Jan-21 for a day of the year 1.
    (
        r"[a-z]+[- ][0-9]{2}",
        "pandas.to_datetime({0}.str[:3] + {0}.str[-2:], format='%b%y')",
    ),
    (r"[0-9]{4}-w[0-9]{2}-[1-7]", "pandas.to_datetime({0}, format='%G-W%V-%u')"),
    (r"[0-9]{4}-w[0-9]{2}", "pandas.to_datetime({0} + '-1', format='%G-W%V-%u')"),
    (r"[0-9]{4}w[0-9]{2}", "pandas.to_datetime({0} + '-1', format='%GW%V-%u')"),
    (
        r"[0-9]{4}[-/ ]?q[1-4]",
        "pandas.PeriodIndex({0}.str[:4] + {0}.str[-2:], freq='Q').to_timestamp()",
    ),
    (
        r"q[1-4][-/ ]?[0-9]{4}",
        "pandas.PeriodIndex({0}.str[-4:] + {0}.str[:2], freq='Q').to_timestamp()",
    ),
]


def is_number(text):
    """Whether a text is a number in the usual notation of programs.

    ``1_0``, ``1,000``, ``10%`` and ``$1`` are not.
    """
    return _NUMBER.fullmatch(text.strip()) is not None


def is_almost_number(text):
    """Whether a text is a number, also one written as ``1,000``, ``10%`` or ``$1``.

    Its sign may be the minus sign of typography, U+2212.
    """
    return is_number(text) or _ALMOST_NUMBER.fullmatch(text.strip()) is not None


def with_thousands(texts):
    """The texts with points if all points may separate thousands, as in ``3.500``."""
    found = sorted(text for text in texts if "." in text and not is_missing(text))
    are_thousands = all(_THOUSANDS.fullmatch(text.strip()) for text in found)
    return found if are_thousands else []


def mixed_thousands(texts):
    """The texts with points, if the texts are numbers whose points separate thousands.

    All of at least ten texts with a point have three digits after it, and some of them
    end in 0, which a program leaves out after a decimal point. The other texts are
    whole numbers below 1000, and not all 0: a measurement may be exactly 0.
    """
    found = with_thousands(texts)
    whole = [text for text in texts if "." not in text and not is_missing(text)]
    are_thousands = (
        len(found) >= _MANY_THOUSANDS
        and all(map(is_number, found))
        and any(text.strip().endswith("0") for text in found)
        and any(text.strip("+- 0") for text in whole)
        and all(_WHOLE_BELOW_1000.fullmatch(text.strip()) for text in whole)
    )
    return found if are_thousands else []


def is_limit(text):
    """Whether a text is a number with a sign of comparison, such as ``<0.5``."""
    return _LIMIT.fullmatch(text.strip()) is not None


def unit_of(text):
    """The unit of a text such as ``70.1 kg`` or ``EUR 70.10``, or None.

    A word has the same unit in the singular and in the plural.
    """
    text = text.strip()
    match = _WITH_UNIT.fullmatch(text)
    is_code = _CODE.fullmatch(text) and text[-1] not in _UNITS_OF_A_LETTER
    # 1.06E2 is a number, and no area.
    if match is None or is_code or has_leading_zero(text) or is_number(text):
        return None
    unit = match["unit"] or match["currency"]
    # The case of short units matters, as in "mW" and "MW".
    return unit.lower().removesuffix("s") if len(unit) > 3 else unit


def has_leading_zero(text):
    """Whether a text begins with a 0 before another digit, such as a postal code."""
    return _LEADING_ZERO.match(text.strip()) is not None


def long_integers(texts):
    """The integers that float64 may round, such as the numbers of cards.

    None of them if a text is no integer and does not stand for a missing value.
    """
    texts = [text for text in texts if not is_missing(text)]
    if not all(_INTEGER.fullmatch(text.strip()) for text in texts):
        return []
    return [text for text in texts if _is_long(text)]


def _is_long(text):
    """Whether an integer is beyond those that float64 has exactly."""
    digits = text.strip().lstrip("+-0")
    # Python converts no text of thousands of digits.
    return len(digits) > len(str(_MAX_EXACT)) or int(digits or "0") > _MAX_EXACT


def is_missing(text):
    """Whether a text stands for a missing value, such as ``N/A``, ``?`` or ``-``."""
    return text.strip().lower() in MISSING


def is_date(text):
    """Whether a text is a date, a time, or both, in a usual format.

    It may be in quotes or brackets.
    """
    return _DATE.fullmatch(text.strip(" \t\"'[]")) is not None


def are_times(texts):
    """Whether all texts are times of day, or time spans, without a date."""
    patterns = "|".join(pattern for pattern, _ in _CONVERSIONS_OF_TIMES)
    return all(re.fullmatch(patterns, text, re.IGNORECASE) for text in texts)


def conversion_of_dates(texts, column):
    """How pandas converts a column with these dates, for a message.

    It is "" if ``pandas.to_datetime`` needs no format for them.
    """
    for pattern, conversion in _CONVERSIONS:
        if all(re.fullmatch(pattern, text.strip(), re.IGNORECASE) for text in texts):
            return conversion.format(column)
    return ""


def is_truth(text):
    """Whether a text is a boolean: "true" or "false", in any case."""
    return text.strip().lower() in _TRUTH


def to_number(text):
    """Convert a text to a number: a missing value to NaN, "true" to 1, "false" to 0.

    Raises
    ------
    ValueError
        If the text is none of these and not a number.
    """
    if is_number(text):
        return float(text)
    if is_missing(text):
        return float("nan")
    truth = _TRUTH.get(text.strip().lower())
    if truth is None:
        raise ValueError(f"{text!r} is not a number")
    return truth

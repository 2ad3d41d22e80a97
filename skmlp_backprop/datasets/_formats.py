"""How a CSV or TSV file is written, and its numbers."""

import re
from typing import NamedTuple

from .._tabular.texts import is_number

# A number with a decimal comma, or whose points separate thousands.
_WITH_COMMA = re.compile(
    "\\s*[+-]?([0-9]+|[1-9][0-9]{0,2}(\\.[0-9]{3})+|(?=,[0-9]))(,[0-9]*)?"
    "(e[+-]?[0-9]+)?\\s*",
    re.IGNORECASE,
)


class CsvFormat(NamedTuple):
    """How a CSV or TSV file is written, as in :func:`.read_csv`."""

    header: object = "infer"
    sep: str | None = None
    decimal: str = "."
    encoding: str = "utf-8"

    @property
    def has_commas(self):
        """Whether numbers have decimal commas."""
        return self.decimal == ","

    def is_number(self, text):
        """Whether a text is a number with this decimal point."""
        if not self.has_commas:
            return is_number(text)
        return is_number_with_comma(text)

    def plain(self, text):
        """Write a number with a decimal point; other text stays as it is."""
        if self.has_commas and self.is_number(text):
            return text.replace(".", "").replace(",", ".")
        return text

    def check(self):
        """Raise ValueError for an invalid value."""
        # Not `in`: 0 equals False, but for pandas 0 is a header.
        if not isinstance(self.header, bool) and self.header != "infer":
            raise ValueError(
                f'header must be True, False or "infer", got {self.header!r}.'
            )
        sep = "," if self.sep is None else self.sep
        is_character = isinstance(sep, str) and len(sep) == 1 and sep.isascii()
        if not is_character or sep in '\n\r"':
            raise ValueError(
                f'sep must be an ASCII character, such as ";", or None, got {sep!r}.'
            )
        if self.decimal not in (".", ","):
            raise ValueError(f'decimal must be "." or ",", got {self.decimal!r}.')
        try:
            "".encode(self.encoding)
        except (LookupError, TypeError, ValueError) as error:
            raise ValueError(
                'encoding must be the name of an encoding, such as "cp1252", got '
                f"{self.encoding!r}."
            ) from error


def is_number_with_comma(text):
    """Whether a text is a number of a file with decimal commas."""
    is_plain = is_number(text) and "." not in text
    return is_plain or _WITH_COMMA.fullmatch(text) is not None

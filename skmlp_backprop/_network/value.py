"""Objects that are equal if their classes and their attributes are equal."""

import joblib


class Value:
    """Base class of objects that are passed as parameters, and cloned by searches."""

    def __eq__(self, other):
        return type(self) is type(other) and (
            joblib.hash(vars(self)) == joblib.hash(vars(other))
        )

    def __hash__(self):
        return hash(type(self))

    def __repr__(self):
        attributes = ", ".join(
            f"{name}={value!r}" for name, value in vars(self).items()
        )
        return f"{type(self).__name__}({attributes})"

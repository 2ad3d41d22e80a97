"""The names that the estimators know, as they list them when they refuse another one.

So the tests include what is added to the package.
"""

import re

from skmlp_backprop import BackpropMLPClassifier


def names_of(parameter, kind=BackpropMLPClassifier):
    """The names that a parameter may have, sorted."""
    try:
        kind(**{parameter: "?"}).fit([[0.0], [1.0]], [0, 1])
    except ValueError as error:
        _, _, listed = str(error).partition(" among ")
        return sorted(re.findall(r"'(\w+)'", listed.partition("}")[0]))
    raise AssertionError(f"{kind.__name__} takes any {parameter}.")


ACTIVATIONS = names_of("activation")

"""The scikit-learn face: parameters, validation, training, prediction, interchange.

Imports ``_solvers`` and ``_network``, and ``_torch`` where a device is chosen.
"""

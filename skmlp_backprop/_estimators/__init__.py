"""The estimators of a network: parameters, validation, training, prediction.

Imports ``_solvers`` and ``_network``, and ``_torch`` where a device is chosen.
"""

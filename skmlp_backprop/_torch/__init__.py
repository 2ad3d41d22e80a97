"""Training on a device of PyTorch; nothing else of the package imports PyTorch.

Imports ``_solvers`` and ``_network``, and PyTorch.
"""

"""The command line: options, data, training, predictions, saved files.

``python -m skmlp_backprop`` runs :func:`skmlp_backprop.__main__.main`.
"""

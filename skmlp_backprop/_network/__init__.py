"""The arithmetic: networks, losses, rows, the objective.

Imports NumPy and SciPy, and joblib and threadpoolctl for the number of their threads.
"""

"""Fits on a Dask cluster: chunks of rows, their summary, and sums over the workers.

Imports from ``_estimators`` and the layers below it.
"""

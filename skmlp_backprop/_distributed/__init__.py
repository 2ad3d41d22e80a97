"""Fits on a Dask cluster: chunks of rows, what is known of all, sums over workers.

Imports ``_estimators`` and below.
"""

"""Encoding of tables with mixed columns, and ensembles of networks on encoded tables.

Imports from ``_estimators`` and the layers below it.
"""

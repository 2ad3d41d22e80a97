"""Tables of mixed columns: their encoding, and the ensembles of networks on it.

Imports ``_estimators`` and what that imports.
"""

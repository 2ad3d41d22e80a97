"""Stacks of estimators, and the searches that train them.

Imports ``_estimators`` and what that imports.
"""

"""Stacks of networks, and searches that train their candidates in stacks.

Imports from ``_tabular``, ``_estimators`` and the layers below it.
"""

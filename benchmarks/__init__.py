"""Measurements; each module is run as a script."""

"""Cells of the reasoning benchmark: a module for each part."""

"""Builds data sets: songs from files or links → a table of features and genres, one row per segment.

This is the only part of the classifier that fetches links. The command line is in ``classifier.commands.dataset``.
"""

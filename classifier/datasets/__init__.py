"""A data set of one's own: songs from disk or from links → one table of features with their genres, a row a segment.

The only part of the classifier that fetches links. What the command line says is the matter of
``classifier.commands.dataset``.
"""

"""Organizing a music collection: scanning, grouping by genre, playlists, tags and the HTML report.

The command line that combines these steps is in ``classifier.commands.organize``.
"""

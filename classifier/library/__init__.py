"""A music collection, put in order: found, heard once, sorted into playlists, tagged if asked, and shown on a page.

What the command line says and in which order things happen is the matter of ``classifier.commands.organize``.
"""

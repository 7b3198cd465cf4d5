"""What several rooms need and none of them owns: user errors, units, media types and the list of genres.

Every other package may import this one; this one imports none of them.
"""

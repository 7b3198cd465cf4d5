"""The documentation holds: its links lead somewhere, its commands exist, the paths that it names are there."""

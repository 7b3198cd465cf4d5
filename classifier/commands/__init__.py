"""The subcommands of ``python -m classifier``, a module each.

A module offers ``DESCRIPTION``, ``add_arguments(parser)`` and ``run(arguments)``, which returns the exit status.
"""

"""The subcommands of ``python -m classifier``, one module each.

A module has a ``DESCRIPTION``, ``add_arguments(parser)``, and ``run(arguments)``, which returns the exit status.
"""

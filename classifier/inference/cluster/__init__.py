"""Classifies songs on a Dask cluster, behind the same interface as the worker processes of one machine.

``executor`` is the bot's side, with ``scheduler_client`` as its connection. ``worker_service`` runs a worker of the
cluster, ``worker_plugin`` classifies songs in it, and ``release_cache`` keeps the releases it received. Both sides use
``messages`` and ``credentials``. The package is imported only where ``EXECUTOR_URL`` is set, because ``distributed``
belongs to the optional dependencies ``cluster``.
"""

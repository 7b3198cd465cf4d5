"""Songs classified on many machines: a Dask cluster behind the same face as the processes of one machine.

``executor`` is the bot's side and ``machine`` the other's; ``freight`` is what travels between them, ``link`` the
connection that comes back, ``shelf`` where releases lie, ``credentials`` who may take part. Imported only where
``EXECUTOR_URL`` is set: ``distributed`` is the optional dependency ``cluster``.
"""

"""Answers songs with a released model, in confined worker processes on this machine or on a Dask cluster."""

"""Studies: re-runs of earlier systems and experiments on other tables, with and without songs kept apart."""

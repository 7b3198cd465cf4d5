"""Studies: earlier systems, and tables of one's own, measured as they were and with songs kept apart."""

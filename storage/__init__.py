"""Songs heard, corrections, jobs, consents. Knows nothing of chats or audio."""

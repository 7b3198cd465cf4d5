"""A music file in, its genre out. Knows nothing of chats or databases."""

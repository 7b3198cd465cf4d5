"""The bot: its chats, the conversation that they share, and the process that runs them."""

"""What the bot says and does in any chat; it imports no chat library and no HTTP library."""

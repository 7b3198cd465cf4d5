"""What the bot does in every chat; imports no chat library and no HTTP library."""

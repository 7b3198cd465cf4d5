"""Everything a person meets: chats, the conversation, jobs and answers."""

"""Hostile text for everything that reads what people wrote; ``python -m tests.fuzz`` prints inputs tried and crashes.

``parsers`` are functions of a text, ``doors`` the chats and the page as they run; files are decoded by
``tests.classifier.audio.fuzz_decode``.
"""

"""Fuzz tests of everything that reads people's text; ``python -m tests.fuzz`` prints inputs tried and crashes.

``parsers`` tests functions of a text, ``doors`` the running chats and page; ``tests.classifier.audio.fuzz_decode``
tests decoding.
"""

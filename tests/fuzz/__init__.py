"""Fuzz tests of everything that reads what people send; ``python -m tests.fuzz`` prints inputs tried and crashes.

``parsers`` tests functions of a text, ``doors`` the running chats, page and API, ``demuxers`` what opens media files;
``tests.classifier.audio.fuzz_decode`` tests decoding.
"""

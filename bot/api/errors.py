"""What can be wrong with a request to the API, beside what can be wrong with a song."""

from __future__ import annotations

from common.errors import UserError


class TokenNeeded(UserError):
    code = "api-token-needed"
    sentence = "A valid token is needed. Send it as “Authorization: Bearer TOKEN”."


class RequestUnclear(UserError):
    """The problem document's ``errors`` say which part of the request is wrong."""

    code = "api-request-unclear"
    sentence = "This request is not as the API describes it in /v1/openapi.json."

    def __init__(self, *details: tuple[str, str]) -> None:
        super().__init__()
        self.details = details


class MediaTypeUnknown(UserError):
    code = "api-media-type"
    sentence = "Send a music file, a form with a field “file”, or JSON with a “link”, and the Content-Type that fits."


class UploadTooSlow(UserError):
    code = "api-upload-too-slow"
    sentence = "The file did not arrive in time. Please send it again."


class NothingThere(UserError):
    code = "api-nothing-there"
    sentence = "There is nothing at this address."


class MethodUnknown(UserError):
    code = "api-method"
    sentence = "This address does not take this method."


class SongNotFound(UserError):
    code = "api-song-not-found"
    sentence = "There is no song with this id; it may have been deleted."


class AnswerExpired(UserError):
    code = "api-answer-expired"
    sentence = "The answer of this song is no longer stored. Please send the song again."


class NotAnsweredYet(UserError):
    code = "api-not-answered"
    sentence = "This song has no genre that could be corrected yet."


class NoQuestionOpen(UserError):
    code = "api-no-question"
    sentence = "This song is no playlist that waits for a number of songs."


class KeyInUse(UserError):
    code = "api-key-in-use"
    sentence = "A request with this Idempotency-Key is still being processed. Please try again in a moment."


class KeyReused(UserError):
    code = "api-key-reused"
    sentence = "This Idempotency-Key was already used for another song. Please choose a new one."

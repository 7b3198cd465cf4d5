"""Which corrections a moderator wants as a file, read from a command's options or from free text."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.core.errors import DateUnclear
from storage import ExportFormat, ReviewStatus


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """What to export: the format, a period (UTC, ``until`` excluded), a genre by any of its names, a status."""

    form: ExportFormat = ExportFormat.CSV
    since: datetime | None = None
    until: datetime | None = None
    genre: str | None = None
    status: ReviewStatus | None = None


def export_filter(
    form: str = ExportFormat.CSV,
    since: str | None = None,
    until: str | None = None,
    genre: str | None = None,
    status: str | None = None,
) -> ExportRequest:
    """Return the filter that these texts mean; days like ``2026-11-30``, both included.

    Raises
    ------
    DateUnclear
        If a text is no day.
    """
    return ExportRequest(
        form=ExportFormat(form),
        since=_day(since) if since else None,
        until=_day(until, later=timedelta(days=1)) if until else None,
        genre=genre,
        status=None if status is None else ReviewStatus(status),
    )


def read_export_filter(text: str) -> ExportRequest:
    """Read a format, a period such as ``2026-01-01..2026-03-31``, a status and a genre, in any order.

    Raises
    ------
    DateUnclear
        If a period has no day where one should be.
    """
    options: dict[str, str] = {}
    genre = []
    for word in text.split():
        if word.lower() in set(ExportFormat):
            options["form"] = word.lower()
        elif word.lower() in set(ReviewStatus):
            options["status"] = word.lower()
        elif ".." in word:
            options["since"], _, options["until"] = word.partition("..")
        else:
            genre.append(word)
    return export_filter(**options, genre=" ".join(genre) or None)


def _day(text: str, later: timedelta = timedelta()) -> datetime:
    try:
        return datetime.strptime(text.strip(), "%Y-%m-%d").replace(tzinfo=UTC) + later
    except (ValueError, OverflowError):
        raise DateUnclear() from None

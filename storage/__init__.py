"""Songs heard, corrections, jobs, consents. Knows nothing of chats or audio.

Everything that another room needs is named here; ``Storage.open`` is the way in.
"""

from storage.chat_settings import Chats, ChatSettings
from storage.corrections import Correction, Place, Status
from storage.counts import FeedbackStats, GenreCount
from storage.errors import (
    BadDatabaseUrl,
    BadFile,
    BadLabel,
    DatabaseTooNew,
    FormatUnavailable,
    JobCancelled,
    LabelEmpty,
    LabelTooLong,
    LabelUnprintable,
    LabelWithoutLetter,
    LeaseLost,
    MergeRefused,
    StorageError,
    TooManyQueued,
    TooManyToday,
    UnknownRow,
)
from storage.export import Exported, Selection, export_feedback
from storage.feature_codec import SegmentLike, SegmentVectors
from storage.feedback import Feedback, Given
from storage.feedback_import import Imported, import_lessons
from storage.feedback_writers import TABLE_COLUMNS, TABLE_FAMILY, Format
from storage.job import (
    LEASE_SECONDS,
    MAX_ATTEMPTS,
    Added,
    Beat,
    Cancel,
    Claimed,
    Job,
    JobState,
    Lease,
    NewJob,
    PersonLoad,
    QueueLoad,
)
from storage.jobs import Jobs
from storage.label_aggregation import Lessons, Rules
from storage.label_votes import Standing, Use, Verdict
from storage.labels import Label, LabelPage, Labels, LabelStatus, Merged
from storage.people import Consent, People
from storage.privacy import Forgotten
from storage.replies import NewReply, Replies, Reply
from storage.songs import Answer, ChatStats, Songs
from storage.store import KEY_NOTE, Storage, Tidied
from storage.training_export import Taught, export_for_training

__all__ = [
    "KEY_NOTE",
    "LEASE_SECONDS",
    "MAX_ATTEMPTS",
    "TABLE_COLUMNS",
    "TABLE_FAMILY",
    "Added",
    "Answer",
    "BadDatabaseUrl",
    "BadFile",
    "BadLabel",
    "Beat",
    "Cancel",
    "ChatSettings",
    "ChatStats",
    "Chats",
    "Claimed",
    "Consent",
    "Correction",
    "DatabaseTooNew",
    "Exported",
    "Feedback",
    "FeedbackStats",
    "Forgotten",
    "Format",
    "FormatUnavailable",
    "GenreCount",
    "Given",
    "Imported",
    "Job",
    "JobCancelled",
    "JobState",
    "Jobs",
    "Label",
    "LabelEmpty",
    "LabelPage",
    "LabelStatus",
    "LabelTooLong",
    "LabelUnprintable",
    "LabelWithoutLetter",
    "Labels",
    "Lease",
    "LeaseLost",
    "Lessons",
    "MergeRefused",
    "Merged",
    "NewJob",
    "NewReply",
    "People",
    "PersonLoad",
    "Place",
    "QueueLoad",
    "Replies",
    "Reply",
    "Rules",
    "SegmentLike",
    "SegmentVectors",
    "Selection",
    "Songs",
    "Standing",
    "Status",
    "Storage",
    "StorageError",
    "Taught",
    "Tidied",
    "TooManyQueued",
    "TooManyToday",
    "UnknownRow",
    "Use",
    "Verdict",
    "export_feedback",
    "export_for_training",
    "import_lessons",
]

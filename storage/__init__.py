"""Stores songs, answers, corrections, jobs and consents in SQLite or PostgreSQL; knows nothing of chats or audio.

Everything that other packages may use is exported here; start with ``Storage.open``.
"""

from storage.asking import AskingState, Question
from storage.chat_settings import ChatSettings, ChatSettingsStore
from storage.corrections import ChatKey, Correction, ReviewStatus
from storage.counts import FeedbackStats, GenreCount
from storage.errors import (
    BadDatabaseUrl,
    BadImportFile,
    BadLabel,
    DatabaseTooNew,
    DatabaseUnusable,
    FormatUnavailable,
    JobCancelled,
    LabelEmpty,
    LabelTooLong,
    LabelUnprintable,
    LabelWithoutLetter,
    LeaseLost,
    MergeRefused,
    RowNotFound,
    StorageError,
    TooManyQueued,
    TooManyToday,
)
from storage.export import ExportFilter, ExportSummary, export_feedback
from storage.feature_codec import SegmentLike, SegmentVectors
from storage.feedback import CorrectionChange, Feedback
from storage.feedback_import import ImportSummary, import_feedback
from storage.feedback_rows import TABLE_COLUMNS, TABLE_FAMILY
from storage.feedback_writers import ExportFormat
from storage.job import (
    LEASE_SECONDS,
    MAX_ATTEMPTS,
    CancelResult,
    ClaimedJob,
    EnqueueResult,
    HeartbeatResult,
    Job,
    JobState,
    Lease,
    NewJob,
    PersonLoad,
    QueueLoad,
)
from storage.jobs import Jobs
from storage.label_aggregation import AggregationRules, LabelAggregation
from storage.label_votes import LabelVerdict, Purpose, VerdictStatus
from storage.labels import Label, LabelMerge, LabelPage, Labels, LabelStatus
from storage.outages import means_outage
from storage.people import Consent, People
from storage.privacy import ErasureSummary
from storage.readiness import GENRE_SONGS, GenreReadiness, Readiness
from storage.replies import NewReply, Replies, Reply
from storage.song_reviews import Overruled, SongReview
from storage.songs import Answer, ChatStats, Songs
from storage.store import KEY_NOTE, CleanupSummary, Storage
from storage.training_export import TrainingExportSummary, export_for_training

__all__ = [
    "GENRE_SONGS",
    "KEY_NOTE",
    "LEASE_SECONDS",
    "MAX_ATTEMPTS",
    "TABLE_COLUMNS",
    "TABLE_FAMILY",
    "AggregationRules",
    "Answer",
    "AskingState",
    "BadDatabaseUrl",
    "BadImportFile",
    "BadLabel",
    "CancelResult",
    "ChatKey",
    "ChatSettings",
    "ChatSettingsStore",
    "ChatStats",
    "ClaimedJob",
    "CleanupSummary",
    "Consent",
    "Correction",
    "CorrectionChange",
    "DatabaseTooNew",
    "DatabaseUnusable",
    "EnqueueResult",
    "ErasureSummary",
    "ExportFilter",
    "ExportFormat",
    "ExportSummary",
    "Feedback",
    "FeedbackStats",
    "FormatUnavailable",
    "GenreCount",
    "GenreReadiness",
    "HeartbeatResult",
    "ImportSummary",
    "Job",
    "JobCancelled",
    "JobState",
    "Jobs",
    "Label",
    "LabelAggregation",
    "LabelEmpty",
    "LabelMerge",
    "LabelPage",
    "LabelStatus",
    "LabelTooLong",
    "LabelUnprintable",
    "LabelVerdict",
    "LabelWithoutLetter",
    "Labels",
    "Lease",
    "LeaseLost",
    "MergeRefused",
    "NewJob",
    "NewReply",
    "Overruled",
    "People",
    "PersonLoad",
    "Purpose",
    "Question",
    "QueueLoad",
    "Readiness",
    "Replies",
    "Reply",
    "ReviewStatus",
    "RowNotFound",
    "SegmentLike",
    "SegmentVectors",
    "SongReview",
    "Songs",
    "Storage",
    "StorageError",
    "TooManyQueued",
    "TooManyToday",
    "TrainingExportSummary",
    "VerdictStatus",
    "export_feedback",
    "export_for_training",
    "import_feedback",
    "means_outage",
]

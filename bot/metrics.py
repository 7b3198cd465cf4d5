"""The bot's Prometheus metrics: numbers only, never who sent what.

The queue and the conversation record them; ``bot.health`` serves them.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol, runtime_checkable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily

from common.genres import load_genres

if TYPE_CHECKING:
    from collections.abc import Iterable

    from prometheus_client import Metric

    from classifier.inference.executor import SongExecutor
    from storage import GenreReadiness

PREFIX: Final = "genre_bot"
CHATS: Final = ("discord", "local", "telegram")
RETRAINING_OUTCOMES: Final = ("promoted", "refused", "not-enough", "failed")
OUTCOMES: Final = ("answered", "failed", "cancelled", "undeliverable")
STAGES: Final = {
    "queued": "seat",
    "fetching": "fetch",
    "decoding": "decode",
    "listening": "listen",
    "answering": "answer",
}
"""Stage of a song → its name in the metrics; ``seat`` is waiting for a worker after the download."""

WAIT_BUCKETS_SECONDS: Final = (0.1, 0.3, 1, 3, 10, 30, 60, 180, 600, 1800, 3600)
STAGE_BUCKETS_SECONDS: Final = (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 60, 180, 600)


@runtime_checkable
class LocalWorkers(Protocol):
    """An executor whose workers are processes of this machine."""

    @property
    def pids(self) -> tuple[int, ...]:
        """Ids of the worker processes that are ready."""
        ...

    @property
    def restarts(self) -> int:
        """How many workers were replaced."""
        ...


class Metrics:
    """The bot's counters, in a registry of their own.

    Attributes
    ----------
    registry
        What ``/metrics`` serves.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._songs = Counter(
            f"{PREFIX}_songs", "Songs that came to an end.", ("chat", "outcome"), registry=self.registry
        )
        self._turnaround = Histogram(
            f"{PREFIX}_song_seconds",
            "From a song's arrival to its end, whatever that was.",
            ("outcome",),
            buckets=WAIT_BUCKETS_SECONDS,
            registry=self.registry,
        )
        self._waits = Histogram(
            f"{PREFIX}_queue_wait_seconds",
            "From a song's arrival to the start of work on it.",
            buckets=WAIT_BUCKETS_SECONDS,
            registry=self.registry,
        )
        self._stages = Histogram(
            f"{PREFIX}_stage_seconds",
            "Time that a song under way spent in a stage.",
            ("stage",),
            buckets=STAGE_BUCKETS_SECONDS,
            registry=self.registry,
        )
        self._corrections = Counter(
            f"{PREFIX}_corrections", "Opinions given on answers.", ("chat", "agrees"), registry=self.registry
        )
        self._bugs = Counter(
            f"{PREFIX}_faults", "Songs that met a fault of the bot's own; they are tried again.", registry=self.registry
        )
        self._queue = Gauge(
            f"{PREFIX}_queue_songs", "Songs in the database's queue.", ("state",), registry=self.registry
        )
        self._oldest = Gauge(
            f"{PREFIX}_queue_oldest_seconds", "How long the oldest waiting song has waited.", registry=self.registry
        )
        self._ready = Gauge(f"{PREFIX}_ready", "Whether a part works: 1 or 0.", ("part",), registry=self.registry)
        self._retrainings = Counter(
            f"{PREFIX}_retrainings", "Runs of the retraining inside the bot.", ("outcome",), registry=self.registry
        )
        self._recordings = Gauge(
            f"{PREFIX}_feedback_recordings",
            "Recordings of a genre whose label counts; genres that the project knows.",
            ("genre",),
            registry=self.registry,
        )
        ProcessCollector(registry=self.registry)
        self._begin_series()

    def _begin_series(self) -> None:
        # A rate over a counter that appears only with its first event misses that event.
        for outcome in OUTCOMES:
            self._turnaround.labels(outcome)
        for stage in STAGES.values():
            self._stages.labels(stage)
        for outcome in RETRAINING_OUTCOMES:
            self._retrainings.labels(outcome)

    def knows_chat(self, chat: str) -> None:
        """Show a chat's counters from the start, at zero."""
        for outcome in OUTCOMES:
            self._songs.labels(chat, outcome)
        for agrees in ("yes", "no"):
            self._corrections.labels(chat, agrees)

    def watch(self, executor: SongExecutor) -> None:
        """Show an executor's release and, where they are processes of this machine, its workers."""
        self.registry.register(_Workers(executor))

    # Recorded by the queue and the conversation

    def begun(self, waited_seconds: float) -> None:
        """Record that work on a song has begun for the first time."""
        self._waits.observe(max(0.0, waited_seconds))

    def stage_ended(self, kind: str, seconds: float) -> None:
        """Record that a song has left a stage (``bot.core.chat.StageKind``)."""
        self._stages.labels(STAGES.get(kind, kind)).observe(seconds)

    def ended(self, chat: str, outcome: str, seconds: float) -> None:
        """Record that a song has ended so many seconds after its arrival."""
        self._songs.labels(chat, outcome).inc()
        self._turnaround.labels(outcome).observe(max(0.0, seconds))

    def fault(self) -> None:
        """Record that a song has failed because of a bug."""
        self._bugs.inc()

    def corrected(self, chat: str, *, agrees: bool) -> None:
        """Record a correction, or the confirmation that an answer is right."""
        self._corrections.labels(chat, "yes" if agrees else "no").inc()

    def retrained(self, outcome: str) -> None:
        """Record that a retraining has ended (``bot.core.retraining_state.Outcome``)."""
        self._retrainings.labels(outcome).inc()

    def readiness_is(self, table: Iterable[GenreReadiness]) -> None:
        """Show how many recordings of each known genre count; names that people made up are not shown."""
        self._recordings.clear()
        known = load_genres()
        for genre in table:
            if genre.label in known:
                self._recordings.labels(genre.label).set(genre.recordings)

    # Updated when Prometheus asks

    def queue_is(self, queued: int, running: int, oldest_seconds: float) -> None:
        """Show how long the queue is."""
        self._queue.labels("queued").set(queued)
        self._queue.labels("running").set(running)
        self._oldest.set(max(0.0, oldest_seconds))

    def part_is(self, part: str, *, ready: bool) -> None:
        """Show whether a part of the bot works."""
        self._ready.labels(part).set(ready)


class _Workers:
    """Reads an executor at every scrape, since release and workers may change at any moment."""

    def __init__(self, executor: SongExecutor) -> None:
        self._executor = executor

    def collect(self) -> Iterable[Metric]:
        release = InfoMetricFamily(f"{PREFIX}_release", "The release that answers.")
        try:
            release.add_metric([], {"name": self._executor.release})
        except RuntimeError:
            # Not started yet: there is no release to name.
            return
        yield release
        if isinstance(self._executor, LocalWorkers):
            pids = self._executor.pids
            yield CounterMetricFamily(
                f"{PREFIX}_worker_restarts", "Workers replaced by new ones.", self._executor.restarts
            )
            yield GaugeMetricFamily(f"{PREFIX}_workers", "Worker processes that are ready.", len(pids))
            resident = sum(_resident_bytes(pid) for pid in pids)
            yield GaugeMetricFamily(f"{PREFIX}_workers_resident_bytes", "Resident memory of all workers.", resident)


def _resident_bytes(pid: int) -> int:
    """Return a process's resident memory; 0 if it is gone, or where there is no /proc."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0
    line = next((line for line in status.splitlines() if line.startswith("VmRSS:")), "VmRSS: 0 kB")
    return int(line.split()[1]) * 1024

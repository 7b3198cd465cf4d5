"""Retrains inside the bot: exports, trains, judges and promotes, in a child process and at an hour that suits.

``bot.release_watch`` notices what was promoted. The same can be done by a scheduler; see docs/learning.md.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import tempfile
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bot.core.retraining_state import RetrainingState, load_state, readiness, rules_of, save_state
from classifier.inference.manifest import BadRelease, read_manifest
from classifier.inference.releases import CannotPromote, ReleaseStore
from common.errors import StorageUnavailable
from storage import ExportFormat, export_for_training

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator, Callable, Iterator

    from bot.core.retraining_state import Outcome
    from bot.metrics import Metrics
    from bot.settings import Settings
    from storage import Storage

LOOK_SECONDS: Final = 300.0
NIGHT_HOUR: Final = 3
"""Local time; a bot that was not running then retrains as soon as it is idle."""
BETWEEN_RUNS: Final = timedelta(hours=1)
"""The shortest time between two runs where RETRAIN=when-ready."""
LONGEST: Final = timedelta(hours=4)
TEXT_CHARACTERS: Final = 500
STOPPED: Final = "The bot was stopped."
"""After this a run begins anew as soon as the bot is idle; not so after a kill, which it may have caused."""
KILLED: Final = "The bot was killed, or its machine went off."
FIRST_START_NOTE: Final = "retraining-first-start"
"""Under this name it is stored when this bot was first started with ``RETRAIN=nightly``."""
_OUTCOMES: Final[dict[int, Outcome]] = {0: "promoted", 3: "refused", 4: "not-enough"}
_REPOSITORY: Final = Path(__file__).resolve().parents[1]

log = logging.getLogger(__name__)


class Retraining:
    """Looks every few minutes whether it is time to retrain, and does so.

    Parameters
    ----------
    storage, settings
        As the conversation's.
    metrics
        Counts the runs.
    clock
        Returns the current local time, aware.
    """

    def __init__(
        self,
        storage: Storage,
        settings: Settings,
        metrics: Metrics,
        clock: Callable[[], datetime] = lambda: datetime.now().astimezone(),
    ) -> None:
        self._storage = storage
        self._settings = settings
        self._metrics = metrics
        self._clock = clock
        self._began = clock()
        self._tried: frozenset[tuple[str, str]] = frozenset()
        self._failure = KILLED

    @asynccontextmanager
    async def going_on(self) -> AsyncIterator[None]:
        """Retrain while this context lasts, if the settings say so; end a run in progress with it."""
        if self._settings.retrains == "off":
            with _logged():
                await self.end_leftover()
            yield
            return
        looking = asyncio.create_task(self._keep_looking())
        try:
            yield
        finally:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)

    async def _keep_looking(self) -> None:
        while True:
            with _logged():
                await self._first_start()
                await self.end_leftover()
            await asyncio.sleep(LOOK_SECONDS)
            with _logged():
                await self.look()

    async def end_leftover(self) -> None:
        """Note a failure if a run is noted as running and none runs: the bot was killed, or the disk was full."""
        if (await load_state(self._storage)).outcome == "running" and await asyncio.to_thread(self._nobody_trains):
            await self._note("failed", self._failure)

    def _nobody_trains(self) -> bool:
        """Tell whether no other bot process's training holds the lock of the releases."""
        if self._settings.retrains == "off":
            return True
        with suppress(CannotPromote), ReleaseStore(self._settings.release_dir).exclusive():
            return True
        return False

    async def look(self) -> RetrainingState | None:
        """Retrain if it is time to; return how it went, None if it is not time."""
        load = await self._storage.jobs.load()
        if load.queued or load.running or not await self._is_time():
            return None
        return await self.run()

    async def _is_time(self) -> bool:
        now, state = self._clock(), await load_state(self._storage)
        last = None if state.text == STOPPED else state.time
        if self._settings.retrains == "nightly":
            night = now.replace(hour=NIGHT_HOUR, minute=0, second=0, microsecond=0)
            night -= timedelta(days=1) if night > now else timedelta()
            return (last or await self._first_start()) < night
        if last is not None and now - last < BETWEEN_RUNS:
            return False
        return await self._songs() != self._tried

    async def _first_start(self) -> datetime:
        """Return when the bot was first started: one that is on by day alone has never seen a night."""
        return datetime.fromisoformat(await self._storage.get_or_set(FIRST_START_NOTE, self._began.isoformat()))

    async def _songs(self) -> frozenset[tuple[str, str]]:
        verdicts = await self._storage.label_aggregation.verdicts(rules_of(self._settings))
        return frozenset((each.song, each.label) for each in verdicts.values() if each.weight > 0)

    async def run(self) -> RetrainingState:
        """Export, train, judge and promote; return how it went."""
        self._tried = await self._songs()
        await self._note("running", "")
        try:
            state = await self._attempt()
        except asyncio.CancelledError:
            await self._failed(STOPPED)
            raise
        except TimeoutError:
            state = await self._failed(f"It took longer than {LONGEST}.")
        except OSError as error:
            state = await self._failed(error.strerror or str(error))
        except StorageUnavailable:
            state = await self._failed("Nothing could be saved: the disk is full, or the database is away.")
        except Exception as error:
            log.exception("retraining failed")
            state = await self._failed(f"{type(error).__name__}: {error}")
        log.log(logging.ERROR if state.outcome == "failed" else logging.INFO, "retraining: %s", state)
        self._metrics.retrained(state.outcome)
        self._metrics.readiness_is(await readiness(self._storage, self._settings))
        return state

    async def _attempt(self) -> RetrainingState:
        folder = self._settings.data_dir / "work"
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as name:
            file = Path(name) / "feedback.csv"
            await export_for_training(self._storage, file, ExportFormat.CSV, rules_of(self._settings))
            async with asyncio.timeout(LONGEST.total_seconds()):
                outcome, text = await self._train(file)
        return await (self._failed(text) if outcome == "failed" else self._note(outcome, text))

    async def _train(self, file: Path) -> tuple[Outcome, str]:
        models = self._settings.release_dir
        words = ["retrain", "--feedback", str(file), "--models", str(models), "--if-enough", "--background"]
        words += ["--people", str(self._settings.agreement), "--jobs", "1"]
        path = os.pathsep.join(filter(None, (str(_REPOSITORY), os.environ.get("PYTHONPATH", ""))))
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "classifier",
            *words,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path},
        )
        try:
            told, last = await asyncio.gather(_whole(process), self._followed(process))
            status = await process.wait()
        finally:
            with suppress(ProcessLookupError):
                process.kill()
        outcome = _OUTCOMES.get(status, "failed")
        text = last if outcome == "failed" else told
        if status == -signal.SIGKILL:
            text = f"Something killed it, most likely because memory ran out. Its last words were: {last}"
        if outcome == "promoted":
            with suppress(BadRelease):
                text = f"{read_manifest(models)['name']}. {text}"
        return outcome, text

    async def _followed(self, process: Process) -> str:
        """Note every stage that the child tells of; return its last line."""
        assert process.stderr is not None  # noqa: S101 - it was asked for
        last = ""
        async for line in process.stderr:
            last = line.decode(errors="replace").strip() or last
            log.info("retraining: %s", last)
            await self._note("running", last)
        return last

    async def _failed(self, text: str) -> RetrainingState:
        """Note a failure, after which the same songs are tried again.

        Where the disk is full or the database is away, ``end_leftover`` notes it later.
        """
        self._tried, self._failure = frozenset(), text
        try:
            return await self._note("failed", text)
        except StorageUnavailable:
            return self._state("failed", text)

    async def _note(self, outcome: Outcome, text: str) -> RetrainingState:
        state = self._state(outcome, text)
        await save_state(self._storage, state)
        return state

    def _state(self, outcome: Outcome, text: str) -> RetrainingState:
        now = self._clock().astimezone(UTC).isoformat(timespec="seconds")
        return RetrainingState(outcome, now, text[:TEXT_CHARACTERS])


@contextmanager
def _logged() -> Iterator[None]:
    """Log whatever goes wrong: the next look comes all the same."""
    try:
        yield
    except Exception:
        log.exception("the retraining cannot be looked after; trying again")


async def _whole(process: Process) -> str:
    assert process.stdout is not None  # noqa: S101 - it was asked for
    return " ".join((await process.stdout.read()).decode(errors="replace").split())

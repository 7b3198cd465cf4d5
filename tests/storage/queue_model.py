"""A model of the queue, checked by random histories: two bots, crashes, and clocks that are set forward and back.

``python -m tests.storage.queue_model [EXAMPLES] [STEPS]`` tries more histories than the test suite does.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import tempfile
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from storage import LEASE_SECONDS, JobState, Storage
from storage.database import database_url
from storage.migrate import migrate
from tests.storage.factories import Clock, new_job

if TYPE_CHECKING:
    from storage import ClaimedJob

BOTS = ("one", "two")
PEOPLE = ("ann", "bob", "cat")
HEARTBEAT_SECONDS = LEASE_SECONDS / 6


class BotClock(Clock):
    """One bot's own clock, which is set without time passing; the seconds that pass are everybody's."""

    def __init__(self, passed: list[float]) -> None:
        super().__init__()
        self._shared = passed

    def monotonic(self) -> float:
        return self._shared[0]


@dataclass
class Model:
    """What must be so.

    Attributes
    ----------
    waiting, held, ended
        Jobs by what has become of them; those held by bot.
    overtaken
        Job that waits → person → how many of their later songs were begun since.
    """

    waiting: set[int] = field(default_factory=set)
    held: dict[str, dict[int, ClaimedJob]] = field(default_factory=lambda: {bot: {} for bot in BOTS})
    renewed: dict[int, float] = field(default_factory=dict)
    ended: set[int] = field(default_factory=set)
    person: dict[int, str] = field(default_factory=dict)
    overtaken: dict[int, dict[str, int]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(int)))
    put_off: set[int] = field(default_factory=set)

    def begun(self, job_id: int) -> None:
        """Note that a song was begun, for all who came before it and still wait."""
        for other in self.waiting - self.put_off:
            if other < job_id and self.person[other] != self.person[job_id]:
                self.overtaken[other][self.person[job_id]] += 1
        self.overtaken.pop(job_id, None)


class QueueMachine(RuleBasedStateMachine):
    """Does what bots, people and operators do to the queue, one step after the other."""

    template: Path

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        path = Path(self._folder.name) / "songs.sqlite3"
        shutil.copy(self.template, path)
        self._url = f"sqlite:///{path}"
        self._runner = asyncio.Runner()
        self._passed = [0.0]
        self.clocks = {bot: BotClock(self._passed) for bot in BOTS}
        self.storages = {bot: self._opened(bot) for bot in BOTS}
        self.model = Model()

    def _opened(self, bot: str) -> Storage:
        clock = self.clocks[bot]
        return self._runner.run(Storage.open(self._url, clock=clock, monotonic=clock.monotonic))

    def teardown(self) -> None:
        for storage in self.storages.values():
            self._runner.run(storage.close())
        self._runner.close()
        self._folder.cleanup()

    # What people do

    @rule(bot=st.sampled_from(BOTS), person=st.sampled_from(PEOPLE))
    def send(self, bot: str, person: str) -> None:
        job = self._runner.run(self.storages[bot].jobs.add(new_job(person))).job
        self.model.waiting.add(job.id)
        self.model.person[job.id] = person

    @precondition(lambda self: self.model.waiting)
    @rule(bot=st.sampled_from(BOTS), data=st.data())
    def cancel(self, bot: str, data: st.DataObject) -> None:
        job_id = data.draw(st.sampled_from(sorted(self.model.waiting)))
        self._runner.run(self.storages[bot].jobs.cancel(job_id))
        self.model.waiting.discard(job_id)
        self.model.ended.add(job_id)

    # What bots do

    @rule(bot=st.sampled_from(BOTS))
    def claim(self, bot: str) -> None:
        claimed = self._runner.run(self.storages[bot].jobs.claim(bot))
        if claimed is None:
            return
        job_id = claimed.job.id
        for other in BOTS:
            if self.model.held[other].pop(job_id, None) is not None:
                silent = self._passed[0] - self.model.renewed[job_id]
                assert silent >= LEASE_SECONDS, f"job {job_id} was taken from a bot that was silent for {silent:g} s"
        assert job_id not in self.model.ended
        self.model.waiting.discard(job_id)
        self.model.put_off.discard(job_id)
        self.model.begun(job_id)
        self.model.held[bot][job_id] = claimed
        self.model.renewed[job_id] = self._passed[0]

    @rule(bot=st.sampled_from(BOTS))
    def renew(self, bot: str) -> None:
        held = self.model.held[bot]
        beat = self._runner.run(self.storages[bot].jobs.heartbeat([each.lease for each in held.values()]))
        assert not beat.lost
        for job_id in held:
            self.model.renewed[job_id] = self._passed[0]

    @precondition(lambda self: any(self.model.held.values()))
    @rule(data=st.data(), how=st.sampled_from(["finish", "release", "put off", "fail"]))
    def end(self, data: st.DataObject, how: str) -> None:
        bot = data.draw(st.sampled_from([bot for bot in BOTS if self.model.held[bot]]))
        job_id = data.draw(st.sampled_from(sorted(self.model.held[bot])))
        lease = self.model.held[bot].pop(job_id).lease
        jobs = self.storages[bot].jobs
        if how == "finish":
            self._runner.run(jobs.finish(lease, "answered"))
            self.model.ended.add(job_id)
            return
        delay = HEARTBEAT_SECONDS if how == "put off" else 0
        self._runner.run(jobs.release(lease, delay_seconds=delay, counts=how == "fail"))
        self.model.waiting.add(job_id)
        if delay:
            self.model.put_off.add(job_id)

    # What befalls them

    @rule(seconds=st.sampled_from([1.0, HEARTBEAT_SECONDS, LEASE_SECONDS + 1]), alive=st.booleans())
    def time_passes(self, seconds: float, *, alive: bool) -> None:
        """Let time pass; bots that are alive renew their leases meanwhile, and look at the queue."""
        while seconds > 0:
            self._passed[0] += min(seconds, HEARTBEAT_SECONDS)
            for clock in self.clocks.values():
                clock.advance(seconds=min(seconds, HEARTBEAT_SECONDS))
            seconds -= HEARTBEAT_SECONDS
            if alive:
                for bot in BOTS:
                    self.claim(bot)
                    self.renew(bot)

    @rule(bot=st.sampled_from(BOTS), hours=st.sampled_from([-24 * 400, -1.0, -0.01, 0.01, 1.0, 24 * 400]))
    def clock_is_set(self, bot: str, hours: float) -> None:
        self.clocks[bot].jump(hours=hours)

    @rule(bot=st.sampled_from(BOTS))
    def crash_and_restart(self, bot: str) -> None:
        self._runner.run(self.storages[bot].close())
        self.storages[bot] = self._opened(bot)
        self._runner.run(self.storages[bot].jobs.requeue_owned(bot))
        self.model.waiting |= set(self.model.held[bot])
        self.model.held[bot].clear()

    # What must always be so

    @invariant()
    def nothing_is_lost(self) -> None:
        jobs = self.storages[BOTS[0]].jobs
        for job_id in self.model.person:
            job = self._runner.run(jobs.get(job_id))
            assert job is not None
            holder = next((bot for bot in BOTS if job_id in self.model.held[bot]), None)
            expected = (
                JobState.FINISHED
                if job_id in self.model.ended
                else JobState.QUEUED
                if holder is None
                else JobState.RUNNING
            )
            assert (job.state, job.owner) in {(expected, holder), (JobState.QUEUED, None)}, job
            if job.state is JobState.QUEUED and holder is not None:
                # Taken back, and not begun anew yet.
                assert self._passed[0] - self.model.renewed[job_id] >= LEASE_SECONDS
                del self.model.held[holder][job_id]
                self.model.waiting.add(job_id)

    @invariant()
    def only_who_holds_a_song_may_end_it(self) -> None:
        held = {each.lease for bot in BOTS for each in self.model.held[bot].values()}
        assert len({lease.job_id for lease in held}) == len(held)

    @invariant()
    def nobody_is_overtaken_by_many_songs_of_one_person(self) -> None:
        for job_id, others in self.model.overtaken.items():
            ahead = sum(
                1
                for other in self.model.person
                if other < job_id and self.model.person[other] == self.model.person[job_id]
            )
            for person, songs in others.items():
                # In every round one song of each; besides, those that came back to their old places.
                assert songs <= ahead + 2, f"job {job_id} was overtaken by {songs} later songs of {person}"


def check(template: Path, *, examples: int, steps: int) -> None:
    """Try histories of the queue.

    Parameters
    ----------
    template
        A database with all tables, copied for each history.
    """
    machine = type("QueueMachine", (QueueMachine,), {"template": template})
    profile = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        print_blob=False,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(machine, settings=profile)


def main() -> None:
    """Try as many histories as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("examples", type=int, nargs="?", default=200, help="histories (default: %(default)s)")
    parser.add_argument("steps", type=int, nargs="?", default=60, help="steps of each (default: %(default)s)")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        template = Path(folder) / "songs.sqlite3"
        asyncio.run(migrate(database_url(f"sqlite:///{template}")))
        check(template, examples=asked.examples, steps=asked.steps)
    sys.stdout.write(f"{asked.examples} histories: no song was lost, held twice, or overtaken unfairly\n")


if __name__ == "__main__":
    main()

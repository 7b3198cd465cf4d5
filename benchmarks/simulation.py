"""Simulates a day of songs: arrivals with an evening peak, the fair queue, and machines that fail.

``python benchmarks/simulation.py --songs-a-day 100000 --cores 4`` prints how long people would wait.
``python benchmarks/simulation.py --check`` lets the real queue, database and worker processes answer eighty songs on
this machine, simulates the same arrivals, and prints both waits side by side.
"""

from __future__ import annotations

import argparse
import heapq
import itertools
import math
import random
import sys
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

DAY_SECONDS = 86_400.0
MINUTES_OF_A_SONG = 3.5  # the median; a tenth are longer than 6
SPREAD_OF_SONGS = 0.42  # of the logarithm of their length
PEAK = 2.2  # the busiest hour to the mean one
PEAK_HOUR = 20.0


@dataclass(frozen=True, slots=True)
class Load:
    """The demand: songs and people.

    Attributes
    ----------
    songs_a_day, people
        Totals.
    heavy
        Share of all songs that the most active hundredth of people send, many at once.
    """

    songs_a_day: float
    people: int
    heavy: float = 0.2


@dataclass(frozen=True, slots=True)
class Place:
    """The supply: cores and machines.

    Attributes
    ----------
    cores
        Songs at a time.
    seconds_fixed, seconds_per_minute
        Seconds of one core per song: a fixed part, and per minute of music.
    days_between_losses
        Mean days between losses of a core's machine; its song restarts after ``takeover_seconds``.
    takeover_seconds, repair_seconds
        Until a lost song is taken over, and until the machine is back.
    fair
        Whether the queue is fair between people; otherwise first come, first served.
    """

    cores: int
    seconds_fixed: float = 0.1
    seconds_per_minute: float = 0.2
    days_between_losses: float = 30.0
    takeover_seconds: float = 3.0
    repair_seconds: float = 120.0
    fair: bool = True


@dataclass(frozen=True, slots=True)
class Arrival:
    """A song: when it is sent (seconds), by whom, and how long it takes one core (seconds)."""

    at: float
    person: int
    work: float


@dataclass(slots=True)
class Outcome:
    """The result of a simulated day.

    Attributes
    ----------
    waits
        Seconds from sending to the start of processing, in the order of ``arrivals``.
    answers
        Seconds from sending to the answer.
    lost
        Songs that had to restart.
    busy
        Share of all cores' time that was used.
    """

    waits: list[float]
    answers: list[float]
    lost: int = 0
    busy: float = 0.0


def intensity(at: float) -> float:
    """Return the relative load at a time of day: 1 on average, ``PEAK`` in the evening."""
    hours = (at / 3600 - PEAK_HOUR) * 2 * math.pi / 24
    # A raised cosine to a power: a narrow evening, a long quiet night.
    return PEAK * math.pow((1 + math.cos(hours)) / 2, _SHAPE)


def _shape_of(peak: float) -> float:
    """Return the power at which the mean over a day is one."""
    low, high = 0.0, 100.0
    for _ in range(60):
        power = (low + high) / 2
        mean = sum(((1 + math.cos(2 * math.pi * step / 288)) / 2) ** power for step in range(288)) / 288
        low, high = (power, high) if peak * mean > 1 else (low, power)
    return low


_SHAPE = _shape_of(PEAK)


def arrivals(load: Load, place: Place, seed: int, hours: tuple[float, float] = (0.0, 24.0)) -> list[Arrival]:
    """Draw the songs of a day, or of some hours of it."""
    draw = random.Random(seed)  # noqa: S311 - dice, not secrets
    found: list[Arrival] = []
    at, end = hours[0] * 3600, hours[1] * 3600
    highest = PEAK * load.songs_a_day / DAY_SECONDS
    mean_burst = 1 + load.heavy * (BURST - 1)
    heavies = max(1, load.people // 100)
    while True:
        at += draw.expovariate(highest / mean_burst)
        if at >= end:
            return found
        if draw.random() * PEAK > intensity(at):
            continue
        # Active people send many songs at once: a folder, an album.
        many = draw.random() < load.heavy
        person = draw.randrange(heavies) if many else heavies + draw.randrange(load.people)
        for _ in range(BURST if many else 1):
            minutes = MINUTES_OF_A_SONG * math.exp(draw.gauss(0, SPREAD_OF_SONGS))
            found.append(Arrival(at, person, place.seconds_fixed + place.seconds_per_minute * minutes))


BURST = 10


@dataclass(slots=True)
class _Queue:
    """The queue of ``storage.fair_queue``: a person's songs get consecutive rounds."""

    fair: bool
    heap: list[tuple[int, int]] = field(default_factory=list)
    last_round: dict[int, int] = field(default_factory=dict)
    served: int = 0

    def put(self, number: int, person: int) -> None:
        first = self.heap[0][0] if self.heap else 0
        turn = max(self.served + 1, first, self.last_round.get(person, 0) + 1) if self.fair else 0
        self.last_round[person] = turn
        heapq.heappush(self.heap, (turn, number))

    def put_back(self, number: int) -> None:
        heapq.heappush(self.heap, (0, number))

    def take(self) -> int:
        turn, number = heapq.heappop(self.heap)
        self.served = max(self.served, turn)
        return number


_ARRIVES, _ENDS, _LOST, _AGAIN, _REPAIRED = range(5)


def simulate(songs: list[Arrival], place: Place, seed: int = 0) -> Outcome:
    """Simulate songs arriving, waiting, being processed, and sometimes being lost with their machine."""
    draw = random.Random(seed)  # noqa: S311 - dice, not secrets
    order = itertools.count()
    events = [(song.at, next(order), _ARRIVES, number) for number, song in enumerate(songs)]
    heapq.heapify(events)
    queue, free = _Queue(place.fair), place.cores
    outcome = Outcome([math.nan] * len(songs), [math.nan] * len(songs))
    worked = 0.0
    rate = 1 / (place.days_between_losses * DAY_SECONDS) if place.days_between_losses else 0.0
    now = 0.0
    while events:
        now, _, what, number = heapq.heappop(events)
        if what == _ARRIVES:
            queue.put(number, songs[number].person)
        elif what == _ENDS:
            free += 1
            outcome.answers[number] = now - songs[number].at
        elif what == _LOST:
            outcome.lost += 1
            heapq.heappush(events, (now + place.takeover_seconds, next(order), _AGAIN, number))
            heapq.heappush(events, (now + place.repair_seconds, next(order), _REPAIRED, number))
        elif what == _AGAIN:
            queue.put_back(number)
        else:
            free += 1
        while free and queue.heap:
            begun = queue.take()
            free -= 1
            if math.isnan(outcome.waits[begun]):
                outcome.waits[begun] = now - songs[begun].at
            work = songs[begun].work
            lasts = draw.expovariate(rate) if rate else math.inf
            worked += min(work, lasts)
            happens = (now + lasts, _LOST) if lasts < work else (now + work, _ENDS)
            heapq.heappush(events, (happens[0], next(order), happens[1], begun))
    span = now - songs[0].at if songs else 0.0
    outcome.busy = worked / (span * place.cores) if span else 0.0
    return outcome


def quantile(values: list[float], share: float) -> float:
    """Return a quantile; 0 for no values."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def show(songs: list[Arrival], outcome: Outcome, load: Load) -> str:
    """Format the waiting times: of all songs, and of people who send one song."""
    heavies = max(1, load.people // 100)
    singles = [wait for wait, song in zip(outcome.waits, songs, strict=True) if song.person >= heavies]
    texts = [
        f"{what}: " + ", ".join(f"p{100 * share:.0f} {quantile(waits, share):.1f} s" for share in (0.5, 0.95, 0.99))
        for what, waits in (("all", outcome.waits), ("who sends one song", singles))
    ]
    return f"{len(songs)} songs, busy {outcome.busy:.0%}, begun anew {outcome.lost}; waits of " + "; of ".join(texts)


def main() -> None:
    """Simulate the busiest hours of a day, or compare the simulation with the real queue."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--songs-a-day", type=float, default=1000, help="(default: %(default)g)")
    parser.add_argument("--cores", type=int, nargs="+", default=[1], help="one or several numbers to compare")
    parser.add_argument("--seconds-per-song", type=float, help="of one core, for a song of 4 minutes (operating.md)")
    parser.add_argument("--days-between-losses", type=float, default=30, help="of one core's machine")
    parser.add_argument("--hours", type=float, nargs=2, default=(17, 23), help="of the day (default: 17 23)")
    parser.add_argument("--check", action="store_true", help="compare with the real queue on this machine")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    if arguments.check:
        from benchmarks.simulation_check import check

        check(arguments.seed)
        return
    load = Load(arguments.songs_a_day, people=max(20, round(arguments.songs_a_day / 3)))
    for cores in arguments.cores:
        for fair in (True, False):
            place = Place(cores, days_between_losses=arguments.days_between_losses, fair=fair)
            if arguments.seconds_per_song:
                per_minute = (arguments.seconds_per_song - place.seconds_fixed) / 4
                place = Place(
                    cores,
                    seconds_per_minute=per_minute,
                    days_between_losses=arguments.days_between_losses,
                    fair=fair,
                )
            songs = arrivals(load, place, arguments.seed, tuple(arguments.hours))
            kind = "by turns" if fair else "first come, first served"
            print(f"{cores} cores, {kind}: {show(songs, simulate(songs, place, arguments.seed), load)}")


if __name__ == "__main__":
    main()

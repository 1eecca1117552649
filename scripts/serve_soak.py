#!/usr/bin/env python3
"""Loads a running endpoint for minutes and watches its answers, its times and its memory.

Sends a mixture at a fixed rate: known games, hypothetical ones (never the same twice), the slate, an explanation every ten
seconds, and requests that must be refused. Times count from when a request was due, so a stall shows in all that waited; how
late this program itself was is told beside. A given command is run every so often, such as one that swaps the model or asks
for a reload; what was answered from its start until `--window` seconds after its end is told apart.

Prints Markdown, and writes soak.csv (a row every five seconds) and soak.svg to --out. Ends with 1 when a good request got
anything but 2xx, a bad one anything but 4xx, or a reload failed.

Needs: pip install aiohttp; Linux (memory comes from /proc)
Use:   serve_soak.py --url http://127.0.0.1:8000 --pid $(pidof edge) --minutes 30 --rate 200 --out soak \\
           --reload-every 120 --reload-command 'curl -fsS -X POST -H "authorization: Bearer $ADMIN" 127.0.0.1:8000/v1/reload'
       EDGE_SERVE_TOKEN is sent as bearer token where it is set.
"""

import argparse
import asyncio
import collections
import csv
import os
import random
import statistics
import sys
import time
from array import array
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path

import aiohttp

SAMPLE_SECONDS = 5.0
EXPLAIN_SECONDS = 10.0
MIXTURE = {"known": 80, "hypothetical": 15, "slate": 3, "bad": 2}
BAD: list[tuple[str, str, bytes | None]] = [
    ("POST", "/v1/predict", b"{"),
    ("POST", "/v1/predict", b'{"games": []}'),
    ("POST", "/v1/predict", b'{"games": [{"home": "No Such Team", "away": "Nor This"}]}'),
    ("POST", "/v1/predict", b'{"games": [{"game_id": "no-such-game"}]}'),
    ("POST", "/v1/predict", b"\xff\xfe"),
    ("GET", "/v1/slate?hours=0", None),
    ("GET", "/v1/no-such-route", None),
]


@dataclass
class Seen:
    """All that was seen: a row per request in four arrays, a row per memory sample, a pair of instants per reload."""

    began: float
    due: array = field(default_factory=lambda: array("d"))
    took: array = field(default_factory=lambda: array("d"))
    late: array = field(default_factory=lambda: array("d"))
    failed: array = field(default_factory=lambda: array("b"))
    kinds: collections.Counter = field(default_factory=collections.Counter)
    failures: collections.Counter = field(default_factory=collections.Counter)
    versions: collections.Counter = field(default_factory=collections.Counter)
    memory: list[tuple[float, float]] = field(default_factory=list)
    reloads: list[tuple[float, float, int]] = field(default_factory=list)

    def now(self) -> float:
        """Returns the seconds since the start."""
        return time.perf_counter() - self.began


class Asker:
    """Makes up requests and judges their answers."""

    def __init__(self, slate: dict, slate_path: str, seed: int) -> None:
        self.games = [forecast["game"] for forecast in slate["games"]]
        if not self.games:
            sys.exit("serve_soak: the slate is empty; say with --slate-from when the store's games start")
        self.slate_path, self.random = slate_path, random.Random(seed)
        self.teams: dict[str, list[str]] = collections.defaultdict(list)
        for game in self.games:
            self.teams[game["league"]] += [team for team in (game["home"], game["away"]) if team not in self.teams[game["league"]]]
        self.started = datetime.now(timezone.utc).replace(microsecond=0)

    def kind(self) -> str:
        """Draws what is asked next."""
        return self.random.choices(list(MIXTURE), MIXTURE.values())[0]

    def request(self, kind: str) -> tuple[str, str, dict]:
        """Returns method, path and the body's arguments."""
        game = self.random.choice(self.games)
        if kind == "slate":
            return "GET", self.slate_path, {}
        if kind == "bad":
            method, path, body = self.random.choice(BAD)
            return method, path, {"data": body, "headers": {"content-type": "application/json"}}
        if kind == "hypothetical":
            home, away = self.random.sample(self.teams[game["league"]], 2)
            start = self.started + timedelta(seconds=self.random.randrange(3600, 30 * 86400))
            asked = {"league": game["league"], "home": home, "away": away, "start_time": start.strftime("%Y-%m-%dT%H:%M:%SZ")}
        else:
            asked = {"game_id": game["game_id"]}
        return "POST", "/v1/predict" + ("?explain=true" if kind == "explain" else ""), {"json": {"games": [asked]}}


async def ask(session: aiohttp.ClientSession, seen: Seen, asker: Asker, kind: str, due: float) -> None:
    """Sends one request and writes down what came of it."""
    method, path, body = asker.request(kind)
    late, why = seen.now() - due, None
    try:
        async with session.request(method, path, **body) as answer:
            await answer.read()
            status = answer.status
            seen.versions[answer.headers.get("x-model-version", "none")] += 1
        if status // 100 != (4 if kind == "bad" else 2):
            why = f"{kind}: {status}"
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        why = f"{kind}: {type(error).__name__}"
    seen.due.append(due)
    seen.took.append(seen.now() - due)
    seen.late.append(late)
    seen.failed.append(why is not None)
    seen.kinds[kind] += 1
    if why:
        seen.failures[why] += 1


async def load(session: aiohttp.ClientSession, seen: Seen, asker: Asker, a: argparse.Namespace) -> None:
    """Sends requests when they are due, whether or not earlier ones were answered, and waits for the last answer."""
    asked: set[asyncio.Task] = set()
    next_explained = EXPLAIN_SECONDS
    for number in range(int(a.minutes * 60 * a.rate)):
        due = number / a.rate
        if (wait := due - seen.now()) > 0:
            await asyncio.sleep(wait)
        kind = asker.kind()
        if due >= next_explained:
            kind, next_explained = "explain", next_explained + EXPLAIN_SECONDS
        task = asyncio.create_task(ask(session, seen, asker, kind, due))
        asked.add(task)
        task.add_done_callback(asked.discard)
    await asyncio.gather(*asked)


async def watch(seen: Seen, pid: int) -> None:
    """Samples the resident memory, in MB; a process that is gone counts as a failure."""
    while True:
        try:
            lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
            resident = next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024
        except (OSError, StopIteration):
            seen.failures["the process is gone"] += 1
            return
        seen.memory.append((seen.now(), resident))
        await asyncio.sleep(SAMPLE_SECONDS)


async def reload(seen: Seen, command: str, every: float) -> None:
    """Runs the command again and again."""
    while True:
        await asyncio.sleep(every)
        began = seen.now()
        process = await asyncio.create_subprocess_shell(command, stdout=sys.stderr)
        seen.reloads.append((began, seen.now(), await process.wait()))
        seen.reloads[-1] = (began, seen.now(), seen.reloads[-1][2])


def times(values: list[float]) -> str:
    """Renders p50, p99 and the largest, in milliseconds."""
    if len(values) < 2:
        return "nothing"
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    return f"p50 {cuts[49] * 1e3:.2f} ms, p99 {cuts[98] * 1e3:.2f} ms, max {max(values) * 1e3:.1f} ms"


def slope(samples: list[tuple[float, float]]) -> float:
    """Fits a line and returns its slope in MB an hour."""
    if len(samples) < 3:
        return float("nan")
    return statistics.linear_regression(*zip(*samples, strict=True)).slope * 3600


def summary(seen: Seen, a: argparse.Namespace) -> str:
    """Renders what was seen."""
    near = [any(began <= due <= ended + a.window for began, ended, _ in seen.reloads) for due in seen.due]
    warm = [sample for sample in seen.memory if sample[0] >= a.warm_up]
    bad_reloads = sum(code != 0 for _, _, code in seen.reloads)
    mixture = ", ".join(f"{count:,} {kind}" for kind, count in seen.kinds.most_common())
    versions = ", ".join(f"{count:,} by {version}" for version, count in seen.versions.most_common())
    lines = [
        f"- {a.minutes:g} minutes at {a.rate:g} requests a second: {len(seen.due):,} requests ({mixture})",
        f"- failures: {sum(seen.failures.values())} {dict(seen.failures) if seen.failures else ''}".rstrip(),
        f"- times: {times(list(seen.took))}; this program sent late by: {times(list(seen.late))}",
        f"- reloads: {len(seen.reloads)}, of which failed: {bad_reloads}; answered {versions}",
    ]
    if seen.reloads:
        during = [took for took, is_near in zip(seen.took, near, strict=True) if is_near]
        lines.append(f"- times during reloads ({len(during):,} requests, until {a.window:g} s after): {times(during)}")
    if seen.memory:
        rss = [mb for _, mb in seen.memory]
        after = f"{warm[0][1]:.1f} MB after {a.warm_up:g} s, " if warm else ""
        lines.append(f"- memory: {rss[0]:.1f} MB at the start, {after}{rss[-1]:.1f} MB at the end, {max(rss):.1f} MB at most; "
                     f"slope after the warm-up {slope(warm):+.2f} MB/hour")
    return "\n".join(lines)


def rows(seen: Seen) -> list[list[float]]:
    """Returns second, memory, requests, failures and p99 in milliseconds of every interval."""
    buckets: dict[int, list[int]] = collections.defaultdict(list)
    for index, due in enumerate(seen.due):
        buckets[int(due / SAMPLE_SECONDS)].append(index)
    memory = {int(second / SAMPLE_SECONDS): mb for second, mb in seen.memory}
    table = []
    for bucket, indices in sorted(buckets.items()):
        took = sorted(seen.took[i] for i in indices)
        p99 = took[min(len(took) - 1, int(len(took) * 0.99))] * 1e3
        failed = sum(seen.failed[i] for i in indices)
        table.append([bucket * SAMPLE_SECONDS, round(memory.get(bucket, 0), 2), len(indices), failed, round(p99, 3)])
    return table


def picture(table: list[list[float]], reloads: list[tuple[float, float, int]]) -> str:
    """Draws memory and p99 over time, with a line where a reload began."""
    width, height, end = 900, 180, max(table[-1][0], 1)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {2 * height + 20}" font-family="sans-serif" font-size="12">',
             '<rect width="100%" height="100%" fill="white"/>']
    for panel, (column, label) in enumerate([(1, "resident memory, MB"), (4, "p99 of five seconds, ms")]):
        points = [(row[0], row[column]) for row in table if row[column]]
        top, floor = max((value for _, value in points), default=1) * 1.05, (panel + 1) * height
        line = " ".join(f"{20 + (width - 40) * x / end:.1f},{floor - (height - 40) * y / top:.1f}" for x, y in points)
        parts += [f'<line x1="{20 + (width - 40) * began / end:.1f}" x2="{20 + (width - 40) * began / end:.1f}" '
                  f'y1="{floor - height + 40}" y2="{floor}" stroke="#ccc"/>' for began, _, _ in reloads]
        parts += [f'<polyline fill="none" stroke="#246" stroke-width="1.5" points="{line}"/>',
                  f'<line x1="20" x2="{width - 20}" y1="{floor}" y2="{floor}" stroke="black"/>',
                  f'<text x="20" y="{floor - height + 30}">{label}: 0 to {top:.0f} over {end / 60:.1f} minutes</text>']
    return "\n".join([*parts, "</svg>", ""])


async def run(a: argparse.Namespace) -> Seen:
    """Loads, watches and reloads at once, until the load is over."""
    token = os.environ.get("EDGE_SERVE_TOKEN")
    headers = {"authorization": f"Bearer {token}"} if token else {}
    slate_path = "/v1/slate?hours=744" + (f"&from={a.slate_from}" if a.slate_from else "")
    connector = aiohttp.TCPConnector(limit=a.connections)
    limit = aiohttp.ClientTimeout(total=60)
    async with aiohttp.ClientSession(a.url, headers=headers, connector=connector, timeout=limit) as session:
        async with session.get(slate_path) as answer:
            answer.raise_for_status()
            asker = Asker(await answer.json(), slate_path, a.seed)
        seen = Seen(time.perf_counter())
        beside = [asyncio.create_task(watch(seen, a.pid))] if a.pid else []
        if a.reload_command:
            beside.append(asyncio.create_task(reload(seen, a.reload_command, a.reload_every)))
        await load(session, seen, asker, a)
        for task in beside:
            task.cancel()
        ended = await asyncio.gather(*beside, return_exceptions=True)
    for error in ended:
        if isinstance(error, Exception):  # a cancelled task is none
            sys.exit(f"serve_soak: the process cannot be watched or reloaded: {error}")
    return seen


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--url", default="http://127.0.0.1:8000")
    p.add_argument("--pid", type=int, help="process whose memory is watched")
    p.add_argument("--minutes", type=float, default=30)
    p.add_argument("--rate", type=float, default=200, help="requests a second")
    p.add_argument("--connections", type=int, default=32)
    p.add_argument("--slate-from", help="RFC 3339; the next 31 days when absent")
    p.add_argument("--reload-command", help="run by the shell")
    p.add_argument("--reload-every", type=float, default=120, help="seconds")
    p.add_argument("--window", type=float, default=10, help="seconds after a reload that count as during it")
    p.add_argument("--warm-up", type=float, default=120, help="seconds that the slope of the memory leaves out")
    p.add_argument("--seed", type=int, default=7)
    p.add_argument("--out", type=Path, help="folder for soak.csv and soak.svg")
    a = p.parse_args()
    seen = asyncio.run(run(a))
    print(summary(seen, a))
    if a.out:
        a.out.mkdir(parents=True, exist_ok=True)
        table = rows(seen)
        with (a.out / "soak.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([["second", "rss_mb", "requests", "failures", "p99_ms"], *table])
        (a.out / "soak.svg").write_text(picture(table, seen.reloads), encoding="utf-8")
    sys.exit(1 if seen.failures or any(code for _, _, code in seen.reloads) else 0)


if __name__ == "__main__":
    main()

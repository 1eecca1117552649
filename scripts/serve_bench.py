#!/usr/bin/env python3
"""Measures the endpoint beside two rivals in one run: FastAPI and Ray Serve with a model smaller than a toy (serve_floor.py).

Every round starts each server in turn on loopback, loads it from a second process with the same number of connections, first
as fast as it answers and then at half of that rate, and stops it. An answer other than 2xx, or none, ends the run. Prints a
Markdown table: requests per second of every round, their median, its ratio to each rival's, and the times at half of the rate.
Hypothetical games have random teams and starts, other ones in each measurement: hardly any is asked twice, so no cache helps.

Needs: oha 1.16 (`cargo install --locked oha`), wrk if --top wrk is asked for, and for the rivals a Python with
       fastapi, uvicorn, ray[serve] and torch; the endpoint needs a folder with edge.toml and a store with a trained model
Use:   serve_bench.py --edge target/release/edge --folder NIGHT --floor serve_floor.py --python VENV/bin/python3
       serve_bench.py ... --slate-from 2026-03-02T09:00:00Z     when the store's games do not start within the next month
"""

import argparse
import contextlib
import json
import os
import random
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

FLOOR_BODY = {"league": "epl", "home": "Arsenal", "away": "Leeds"}
# The bodies are walked through in order; each of wrk's threads begins at a place of its own.
WRK_SCRIPT = """
local threads = 0
function setup(thread) thread:set("number", threads); threads = threads + 1 end
function init(args)
  bodies = {}
  for line in io.lines("%s") do bodies[#bodies + 1] = line end
  at = math.floor(number * #bodies / %d)
end
function request()
  at = at %% #bodies + 1
  return wrk.format("POST", nil, {["content-type"] = "application/json"}, bodies[at])
end
function done(summary)
  local e = summary.errors
  io.write(string.format('{"requests": %%d, "seconds": %%f, "bad": %%d}', summary.requests, summary.duration / 1e6,
    e.connect + e.read + e.write + e.status + e.timeout))
end
"""


class Failed(Exception):
    """The run is worth nothing; says why."""


@dataclass
class Case:
    """One row of the table: which server, which bodies, and what was measured."""

    name: str
    server: str
    port: int
    tops: list[float] = field(default_factory=list)
    halves: list[dict[str, float]] = field(default_factory=list)


def post(url: str, body: dict | None = None) -> dict:
    """Asks once and returns the answer; raises an `OSError` when it is no 2xx."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


@contextlib.contextmanager
def running(command: list[str], folder: Path, log: Path, ready: tuple[str, dict | None]) -> Iterator[None]:
    """Runs a server until the block ends; returns once it answers `ready`."""
    environment = os.environ | {"RAY_USAGE_STATS_ENABLED": "0", "OMP_WAIT_POLICY": "passive"}
    environment.pop("EDGE_SERVE_TOKEN", None)
    with log.open("ab") as out:
        server = subprocess.Popen(command, cwd=folder, env=environment, stdout=out, stderr=out, start_new_session=True)
    try:
        until = time.monotonic() + 300
        while True:
            with contextlib.suppress(OSError):
                post(*ready)
                break
            if server.poll() is not None or time.monotonic() > until:
                raise Failed(f"{command[0]} does not serve; its last words:\n{log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.5)
        yield
    finally:
        server.terminate()
        until = time.monotonic() + 60
        while left := processes(server.pid):
            server.poll()
            if time.monotonic() > until:
                for process in left:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(process, signal.SIGKILL)
            time.sleep(0.2)


def processes(session: int) -> list[int]:
    """Returns what a server and all that it started still runs: Ray's workers outlive it by seconds."""
    found = subprocess.run(["ps", "-o", "pid=", "--sid", str(session)], capture_output=True, text=True)
    return [int(line) for line in found.stdout.split()]


def with_oha(url: str, bodies: Path, connections: int, seconds: float, rate: float | None = None) -> dict[str, float]:
    """Loads `url`, at `rate` requests a second when given (times are then counted from when a request was due)."""
    pace = [] if rate is None else ["-q", str(max(1, round(rate))), "--latency-correction"]
    command = ["oha", "--no-tui", "--output-format", "json", "-z", f"{seconds}s", "-w", "-c", str(connections), *pace,
               "-m", "POST", "-T", "application/json", "-Z", str(bodies), url]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    codes, errors = found["statusCodeDistribution"], found.get("errorDistribution") or {}
    bad = {code: n for code, n in codes.items() if not code.startswith("2")} | errors
    if bad or not codes:
        raise Failed(f"{url}: not every answer was 2xx: {bad or 'there was none'}")
    times = found["latencyPercentiles"]
    return {"rate": sum(codes.values()) / found["summary"]["total"], "p50": times["p50"] * 1e3, "p99": times["p99"] * 1e3}


def with_wrk(url: str, bodies: Path, connections: int, seconds: float) -> dict[str, float]:
    """Loads `url` as fast as it answers, at less cost for the load than oha's."""
    threads = min(2, connections)
    script = bodies.with_suffix(".lua")
    script.write_text(WRK_SCRIPT % (bodies, threads), encoding="utf-8")
    command = ["wrk", "-t", str(threads), "-c", str(connections), "-d", f"{round(seconds)}s", "--timeout", "30s", "-s", str(script), url]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    last = re.search(r"\{.*\}\s*$", text)
    found = json.loads(last.group()) if last else {"bad": text, "requests": 0}
    if found["bad"] or not found["requests"]:
        raise Failed(f"{url}: {found['bad']} answers of {found['requests']} were not 2xx or did not come")
    return {"rate": found["requests"] / found["seconds"]}


def slate_bodies(base: str, slate_from: str | None, count: int, seed: int) -> dict[str, list[list[dict]]]:
    """Returns bodies for each part of `measure`: about the slate's games, and about games that nobody has asked for yet."""
    query = urllib.parse.urlencode({"hours": 744} | ({"from": slate_from} if slate_from else {}))
    slate = post(f"{base}/v1/slate?{query}")
    games = [forecast["game"] for forecast in slate["games"]]
    leagues: dict[str, set[str]] = {}
    for game in games:
        leagues.setdefault(game["league"], set()).update([game["home"], game["away"]])
    if not games:
        raise Failed("the slate is empty; say with --slate-from when the store's games start")
    draw, now = random.Random(seed), time.time()
    hypothetical = []
    for _ in range(count):
        league = draw.choice(sorted(leagues))
        home, away = draw.sample(sorted(leagues[league]), 2)
        start = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now + draw.uniform(3600, 30 * 86400)))
        hypothetical.append({"games": [{"league": league, "home": home, "away": away, "start_time": start}]})
    known = [{"games": [{"game_id": game["game_id"]}]} for game in games]
    return {"known": [known] * 3, "hypothetical": [hypothetical[part::3] for part in range(3)]}


def measure(case: Case, bodies: list[list[dict]], folder: Path, a: argparse.Namespace) -> None:
    """Warms up, then takes the top rate and the times at half of it, each with bodies of its own."""
    url = f"http://127.0.0.1:{case.port}/v1/predict"
    answer = post(url, bodies[0][0])
    if "games" in answer and not 0 < answer["games"][0]["moneyline"]["home"] < 1:
        raise Failed(f"{url} answers without a probability: {answer}")
    files = [folder / f"bodies{part}.txt" for part in range(3)]
    for file, part in zip(files, bodies, strict=True):
        file.write_text("".join(json.dumps(body) + "\n" for body in part), encoding="utf-8")
    with_oha(url, files[0], a.connections, min(3, a.seconds))
    top = (with_wrk if a.top == "wrk" else with_oha)(url, files[1], a.connections, a.seconds)
    half = with_oha(url, files[2], a.connections, a.seconds, top["rate"] / 2)
    case.tops.append(top["rate"])
    case.halves.append(half)
    print(f"{case.name}: {top['rate']:.0f}/s, then {half['rate']:.0f}/s with p99 {half['p99']:.2f} ms", file=sys.stderr)


def run_round(number: int, cases: list[Case], a: argparse.Namespace, folder: Path) -> None:
    """Runs every server once, in an order that turns from round to round."""
    servers = ["fastapi", "ray", "edge"]
    for server in servers if number % 2 == 0 else servers[::-1]:
        mine = [case for case in cases if case.server == server]
        port = mine[0].port
        base = f"http://127.0.0.1:{port}"
        if server == "edge":
            command = [str(a.edge), "--config", "edge.toml", "serve", "--listen", f"127.0.0.1:{port}"]
            ready: tuple[str, dict | None] = (f"{base}/readyz", None)
        else:
            command = [str(a.python), str(a.floor), server, "--port", str(port)]
            ready = (f"{base}/v1/predict", FLOOR_BODY)
        with running(command, a.folder if server == "edge" else folder, folder / f"{server}.log", ready):
            kinds = slate_bodies(base, a.slate_from, a.bodies, seed=number) if server == "edge" else {}
            for case in mine:
                measure(case, kinds.get(case.name.rsplit(" ", 1)[-1], [[FLOOR_BODY]] * 3), folder, a)


def table(cases: list[Case], a: argparse.Namespace) -> str:
    """Renders what was measured."""
    top = {case.name: statistics.median(case.tops) for case in cases}
    lines = [f"{os.cpu_count()} cores, {a.connections} connections, {a.rounds} rounds of {a.seconds:g} s, "
             f"top rates by {a.top}, times at half of them by oha. Every answer was 2xx.", "",
             "| | requests/s, by round | median | of FastAPI | of Ray Serve | p50 at half | p99 at half, worst round |",
             "|---|---|---|---|---|---|---|"]
    for case in cases:
        rounds = ", ".join(f"{rate:,.0f}" for rate in case.tops)
        ratios = [f"{statistics.median(case.tops[i] / rival.tops[i] for i in range(a.rounds)):.1f}" for rival in cases[:2]]
        p50 = statistics.median(half["p50"] for half in case.halves)
        p99 = statistics.median(half["p99"] for half in case.halves)
        worst = max(half["p99"] for half in case.halves)
        lines.append(f"| {case.name} | {rounds} | {top[case.name]:,.0f} | {' | '.join(ratios)} | {p50:.2f} ms "
                     f"| {p99:.2f} ms, {worst:.2f} ms |")
    return "\n".join(lines)


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--edge", type=Path, required=True)
    p.add_argument("--folder", type=Path, required=True, help="holds edge.toml and the store")
    p.add_argument("--floor", type=Path, required=True, help="serve_floor.py")
    p.add_argument("--python", type=Path, required=True, help="the Python that runs it")
    p.add_argument("--slate-from", help="RFC 3339; the next 31 days when absent")
    p.add_argument("--connections", type=int, default=32)
    p.add_argument("--seconds", type=float, default=10.0, help="of each measurement")
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--bodies", type=int, default=900_000, help="hypothetical games of a round")
    p.add_argument("--top", choices=["oha", "wrk"], default="wrk", help="what measures the top rate")
    p.add_argument("--port", type=int, default=8101, help="the first of three")
    a = p.parse_args()
    for name in ("edge", "floor", "folder", "python"):  # not resolved: a venv's Python is a link that must stay one
        setattr(a, name, getattr(a, name).absolute())
    cases = [Case("FastAPI", "fastapi", a.port), Case("Ray Serve", "ray", a.port + 1),
             Case("Edge, known", "edge", a.port + 2), Case("Edge, hypothetical", "edge", a.port + 2)]
    with tempfile.TemporaryDirectory() as folder:
        try:
            for number in range(a.rounds):
                run_round(number, cases, a, Path(folder))
        except (Failed, subprocess.CalledProcessError) as error:
            sys.exit(f"serve_bench: {error}")
    print(table(cases, a))


if __name__ == "__main__":
    main()

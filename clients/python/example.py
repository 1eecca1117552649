"""Asks an Edge endpoint for one game and prints the probability that home wins.

    clients/python/generate.sh http://127.0.0.1:8000
    PREDICT_URL=http://127.0.0.1:8000 python3 clients/python/example.py epl_2022-10-14_brentford_brighton
    PREDICT_URL=http://127.0.0.1:8000 python3 clients/python/example.py Arsenal Leeds epl

EDGE_SERVE_TOKEN is sent where it is set.
"""

import os
import sys

from edge_client import AuthenticatedClient, Client
from edge_client.api.forecasts import predict
from edge_client.models import (
    HypotheticalGame,
    KnownGame,
    PredictAnswer,
    PredictRequest,
    Problem,
    SpreadAsked,
    SpreadAskedSelection,
)
from edge_client.types import UNSET


def game(words: list[str]) -> KnownGame | HypotheticalGame:
    """Reads GAME_ID, or HOME AWAY [LEAGUE]."""
    if len(words) == 1:
        return KnownGame(game_id=words[0])
    home, away, *league = words
    return HypotheticalGame(home=home, away=away, league=league[0] if league else UNSET)


def main() -> int:
    if len(sys.argv) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    url, token = os.environ.get("PREDICT_URL", "http://127.0.0.1:8000"), os.environ.get("EDGE_SERVE_TOKEN")
    client = AuthenticatedClient(base_url=url, token=token) if token else Client(base_url=url)
    level = SpreadAsked(market="spread", selection=SpreadAskedSelection.HOME, points=0.0)
    answer = predict.sync(client=client, body=PredictRequest(games=[game(sys.argv[1:])], lines=[level]))
    if isinstance(answer, Problem):
        print(f"{answer.status}: {answer.detail}", file=sys.stderr)
        return 1
    if not isinstance(answer, PredictAnswer):
        print("no answer that the contract knows", file=sys.stderr)
        return 1
    forecast = answer.games[0]
    print(f"{forecast.moneyline.home!r} home wins: {forecast.game.home} - {forecast.game.away}")
    print(f"{forecast.lines[0].fair_probability!r} the same where a draw returns the stake")
    stale = " and stale" if answer.freshness and answer.freshness.is_stale else ""
    print(f"model {answer.model_version}, as of {forecast.as_of.isoformat()}{stale}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

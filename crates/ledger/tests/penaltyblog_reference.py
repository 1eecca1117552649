"""Asks the Python package penaltyblog for 1,000 random answers per family: Kelly, no-vig, score grids.

Writes `fixtures/penaltyblog.json` beside this file, which `it/penaltyblog.rs` compares with our own formulas:

    python3 -m venv /tmp/reference && /tmp/reference/bin/pip install penaltyblog==1.13.1
    /tmp/reference/bin/python crates/ledger/tests/penaltyblog_reference.py

The committed file was made with penaltyblog 1.13.1, numpy 2.4.6, scipy 1.17.1 on Python 3.11, in about four minutes
on one core. The cases are seeded; the stakes of penaltyblog's numerical optimiser may differ in their last digits on
another platform. Inputs have few decimals and are exact, answers have twelve significant digits (0 below 1e-12).
Where penaltyblog raises, or answers with something that is no set of probabilities, the fixture says "raised",
"negative" or "sum" instead of numbers; where a method repeats another's numbers, it names that method.
"""

import json
import math
import pathlib
import warnings

import numpy
import penaltyblog
from penaltyblog.betting import kelly_criterion, multiple_kelly_criterion
from penaltyblog.implied import ImpliedMethod, calculate_implied
from penaltyblog.models import FootballProbabilityGrid, create_dixon_coles_grid

CASES = 1000
SEED = 20211123
METHODS = [method.value for method in ImpliedMethod]
# The same method under another name.
REPEATS = {"differential_margin_weighting": "additive", "logarithmic": "odds_ratio"}
COLUMNS = {
    "single": ["p", "odds", "fraction", "stake", "growth", "edge"],
    "exclusive": ["p", "odds", "fraction", "optimised", "stakes", "growth"],
    # One answer per method: probabilities and then the method's parameter, or a word.
    "no_vig": ["odds", "margin", "answers"],
    # A grid is home mean, away mean, rho and most goals per side; or weights by home goals, then away goals.
    "markets": ["grid", "side", "points", "win_push_lose", "total_points", "under_push_over", "moneyline", "no_draw"],
}


def short(number):
    """Twelve significant digits, whole numbers without a point, an optimiser's dust as 0."""
    number = float(f"{float(number):.12g}") if abs(number) >= 1e-12 else 0.0
    return int(number) if number.is_integer() else number


def shorts(numbers):
    return [short(number) for number in numbers]


def priced(fair, overround):
    """Prices of two decimals at about the overround; None where one is no price."""
    odds = [round(1.0 / (p * (1.0 + overround)), 2) for p in fair]
    return odds if min(odds) > 1.0 else None


def single(rng, number):
    """One bet that wins or loses: now and then certain, hopeless, or staked beyond Kelly."""
    p = {0: 1.0, 1: 0.0, 2: 1.0}.get(number, round(rng.uniform(0.02, 0.98), 4))
    odds = max(1.01, round(rng.uniform(0.85, 1.35) / max(p, 0.05), 2))
    fraction = float(rng.choice([1.0, 0.5, 0.25, 0.1, 2.0], p=[0.4, 0.2, 0.2, 0.1, 0.1]))
    if number % 50 == 3:  # An edge so large that double Kelly is more than everything.
        p, odds, fraction = round(rng.uniform(0.7, 0.97), 4), round(rng.uniform(2.0, 4.0), 2), 2.0
    result = kelly_criterion(odds, p, fraction)
    return shorts([p, odds, fraction, result.stake, result.expected_growth, result.edge])


def exclusive(rng):
    """Bets on outcomes that exclude each other; sometimes one outcome is not offered."""
    while True:
        count, offered_all = int(rng.integers(2, 7)), rng.random() < 0.6
        fair = rng.dirichlet(numpy.full(count if offered_all else count + 1, 2.0))
        opinion = fair * numpy.exp(rng.normal(0.0, 0.2, fair.size))
        p = [round(share, 4) for share in (opinion / opinion.sum())[:count].tolist()]
        odds = priced(fair[:count], rng.uniform(-0.03, 0.15))
        if offered_all:
            p[-1] = round(1.0 - sum(p[:-1]), 4)
        if odds and min(p) >= 0.01 and sum(p) <= 1.0 + 1e-12 and max(odds) < 100.0:
            break
    fraction = float(rng.choice([1.0, 0.5, 0.25]))
    result = multiple_kelly_criterion(odds, p, fraction)
    # Where its optimiser fails, each bet is sized alone.
    optimised = result.optimization_details["method"] == "simultaneous"
    stakes, growth = shorts(result.stakes), short(result.expected_growth)
    return [shorts(p), shorts(odds), short(fraction), optimised, stakes, growth]


def implied(odds, method):
    """Probabilities and the method's parameter, or the word for what is wrong with them."""
    try:
        answer = calculate_implied(odds, method=method)
    except ValueError:
        return "raised"
    if min(answer.probabilities) <= 0.0:
        return "negative"
    if abs(sum(answer.probabilities) - 1.0) > 1e-9:
        return "sum"
    return shorts(answer.probabilities + list((answer.method_params or {}).values()))


def repeated(by_method, method):
    """The method whose numbers this one repeats to 1e-11, or None; a shift of log odds is a factor of odds."""
    twin = REPEATS.get(method)
    if twin is None or isinstance(by_method[method], str) or isinstance(by_method[twin], str):
        return None
    ours, theirs = by_method[method].copy(), by_method[twin].copy()
    if method == "logarithmic":
        theirs[-1] = math.log(theirs[-1])
    return twin if max(abs(a - b) for a, b in zip(ours, theirs, strict=True)) < 1e-11 else None


def no_vig(rng, number):
    """A complete market of 2, 3 or 4 to 6 prices, its overround between -3 and 30 per cent."""
    while True:
        count = int(rng.choice([2, 3, 4, 5, 6], p=[0.46, 0.42, 0.04, 0.04, 0.04]))
        fair = rng.dirichlet(numpy.full(count, 1.5))
        odds = priced(fair, rng.uniform(-0.03, 0.30)) if fair.min() > 0.005 else None
        if number < 10:  # No margin at all.
            odds = [[2.0, 2.0], [1.25, 5.0], [4.0, 2.0, 4.0], [5.0, 1.25], [10.0, 2.5, 2.0]][number // 2]
            odds = odds if number % 2 == 0 else odds[::-1]
        if odds and -0.03 <= sum(1.0 / price for price in odds) - 1.0 <= 0.30:
            break
    margin = calculate_implied(odds).margin
    by_method = {method: implied(odds, method) for method in METHODS}
    answers = [repeated(by_method, method) or by_method[method] for method in METHODS]
    return [shorts(odds), short(margin), answers]


def market(rng, number):
    """Handicap, total and moneyline of a Dixon-Coles grid or, one time in five, of a small grid of any shape."""
    if number % 5 == 4:
        weights = rng.integers(0, 100, size=rng.integers(3, 7, size=2))
        weights[0, 0] += 1
        grid = FootballProbabilityGrid(weights, 1.0, 1.0, normalize=True)
        inputs = weights.tolist()
    else:
        home, away = (round(rng.uniform(0.3, 3.5), 3) for _ in range(2))
        rho = 0.0 if number % 5 == 3 else round(rng.uniform(-0.2, 0.15), 4)
        rho = max(rho, round(-0.9 / max(home, away), 4))
        rho = min(rho, round(0.9 / max(home * away, 1.0), 4))
        most = int(rng.integers(8, 16))
        grid = create_dixon_coles_grid(home, away, rho, most)
        inputs = [short(home), short(away), short(rho), most]
    # A quarter of the lines whole, a quarter half, half of them quarters.
    side, line = str(rng.choice(["home", "away"])), int(rng.integers(-14, 15)) / 4.0
    total_line = int(rng.integers(1, 27)) / 4.0
    handicap = grid.asian_handicap_probs(side, line)
    return [
        inputs,
        side,
        short(line),
        shorts([handicap["win"], handicap["push"], handicap["lose"]]),
        short(total_line),
        shorts(grid.totals(total_line)),
        shorts(grid.home_draw_away),
        short(grid.draw_no_bet_home),
    ]


def main():
    warnings.simplefilter("ignore")
    rng = numpy.random.default_rng(SEED)
    families = {
        "single": [single(rng, number) for number in range(CASES)],
        "exclusive": [exclusive(rng) for _ in range(CASES)],
        "no_vig": [no_vig(rng, number) for number in range(CASES)],
        "markets": [market(rng, number) for number in range(CASES)],
    }
    head = {"penaltyblog": penaltyblog.__version__, "seed": SEED, "methods": METHODS, "columns": COLUMNS}
    blocks = [f'"{name}":{json.dumps(value, separators=(",", ":"))}' for name, value in head.items()]
    for name, cases in families.items():
        lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
        blocks.append(f'"{name}":[\n{lines}\n]')
    path = pathlib.Path(__file__).parent / "fixtures" / "penaltyblog.json"
    path.write_text("{" + ",\n".join(blocks) + "}\n")
    print(f"{path}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()

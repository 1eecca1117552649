# The report's words in English; every other catalogue has the same messages with the same variables.

## Nouns: the count stands before them, written in the reader's way.

noun-game = { $n ->
    [one] game
   *[other] games
}
noun-price = { $n ->
    [one] price
   *[other] prices
}
noun-edge = { $n ->
    [one] edge
   *[other] edges
}
noun-bet = { $n ->
    [one] bet
   *[other] bets
}
noun-row = { $n ->
    [one] row
   *[other] rows
}
noun-forecast = { $n ->
    [one] forecast
   *[other] forecasts
}
noun-configuration = { $n ->
    [one] configuration
   *[other] configurations
}
noun-day = d
noun-hour = h
noun-minute = min

## The night in one sentence.

headline-live = { $edges } tonight, { $share } of bankroll at risk
headline-paper = { $edges } tonight, on paper only
headline-none = No edge tonight:
reason-no-game = no game starts within the slate
reason-no-price = { $games } but no price to compare
reason-no-price-beats = none of { $prices } beats its fair price by enough
subject-none = no edge
subject-paper = paper
looked-at = { $games } and { $prices } looked at
summary-none = { $looked_at }. Bankroll { $bankroll }, nothing at risk tonight.
summary-live = { $staked } of { $bankroll } staked. { $looked_at }.
summary-paper = { $staked } of { $bankroll } on paper. { $looked_at }.
basis = Times are { $zone }; only what was known before { $as_of } was used.
all-well = Every feed is fresh and every step of the night was done.

## Notices.

notice-paper = Paper mode: bets are noted, nothing is to be staked.
notice-step-replaced = Step { $step } failed; used instead:
notice-step = Step { $step } failed; nothing replaces it.
notice-feed = Feed { $league } is { $status }: its newest price is { $age } old.
notice-feed-empty = Feed { $league } is { $status }: it has no price.
no-model = No model has been trained yet.
feed-fresh = fresh
feed-late = late
feed-frozen = frozen
feed-empty = empty

## Bets.

selection-win = { $side } to win
selection-draw = Draw
selection-over = Over { $points }
selection-under = Under { $points }
interval-to = { $low } to { $high }
versus = v
at-price = at { $price }
seen = seen { $when }
of-bankroll = { $share } of bankroll
edge = Edge
probability = Probability
interval-90 = 90{ "\u00A0" }% interval
interval-95 = 95{ "\u00A0" }% interval
fair-price = Fair price
all-lenses = All lenses
lens-circle = Circle
lens-margin = Margin
lens-market = Mr. Market
lens-moat = Moat
lens-pitch = Fat pitch
lens-no-data = no data
lens-veto = veto
lens-is-silent = { $lens } has no data:
lens-says-no = { $lens } says no:
limit = Limit
cancel-below = Cancel if the price is below { $price }.
cancel-below-or = Cancel if the price is below { $price }, or
cancel-if = Cancel if
slip-note = By kick-off. Below the price under “not below” the bet is off.
slip-note-first = The first { $shown } of { $count }; the others follow.
text-pick = { $selection } at { $price } with { $book }, stake { $stake } ({ $share })
text-pick-numbers = Fair price { $fair }, probability { $probability } (90 %: { $interval }), edge { $edge }
text-all-lenses = all lenses { $score }
text-row = { $selection } at { $price } with { $book }, stake { $stake }, fair price { $fair }, probability { $probability }, edge { $edge }, all lenses { $score }
text-miss = { $selection } at { $price } with { $book }, edge { $edge }
text-settled = { $selection } at { $price } with { $book }: { $grade }, { $profit } on { $stake }, CLV { $clv }

## Headings.

heading-picks = Picks
heading-slip = What to bet
heading-why = Why these bets
heading-further = Further picks
heading-misses = Near misses
heading-slate = Tonight's games
heading-settled = Settled since the last report
heading-bankroll = Bankroll
heading-record = Record
heading-model = Model against baselines and the close
heading-data = Data and night
heading-assumptions = Assumptions
heading-words = Words
heading-traces = Where the numbers come from

## What a list leaves out.

more-picks = { $n } more picks of { $count } in the full report.
more-misses = { $n } more near misses in the full report.
more-games = { $n } more games in the full report.
more-settled = { $n } more settled bets in the full report.
more-slices = { $n } more slices in the full report.
more-leagues = { $n } more leagues in the full report.
more-feeds = { $n } more feeds in the full report.
more-reasons = { $n } more reasons in the full report.
more-steps = { $n } more steps in the full report.
more-assumptions = { $n } more assumptions in the full report.

## Captions of the tables, for those who hear them.

caption-further = Picks beyond the first ones, by kick-off
caption-misses = Candidates that something stopped
caption-record = Record by league and market
caption-scores = Scores of each forecast, { $league }
caption-feeds = State of each league's data

## Heads of the tables.

head-bet = Bet
head-book = Book
head-price = Price
head-not = Not
head-below = below
head-stake = Stake
head-pick = Pick
head-fair = Fair
head-lenses = Lenses
head-candidate = Candidate
head-stopped = Stopped by
head-game = Game
head-home = Home
head-draw = Draw
head-away = Away
head-result = Result
head-profit = Profit
head-slice = Slice
head-bets = Bets
head-wlp = W–L–P
head-wlp-plain = W-L-P
head-staked = Staked
head-return = Return
head-log-loss = Log-loss
head-against = Against
head-the-close = the close
head-to-close = To close
head-feed = Feed
head-state = State
head-newest-price = Newest price
head-age = Age
head-newest-result = Newest result
head-new-rows = New rows
head-reason = Reason
head-rows = Rows
head-step = Step
head-wrong = What went wrong
head-instead = Used instead

## Cells.

outcome-home = home
outcome-draw = draw
outcome-away = away
cell-model = model { $share }
cell-books = books { $share }
cell-model-plain = model
cell-books-plain = books
slate-note = Best price with its book; probability by the model, and by the books together with their margin taken out.
not-played = not played
grade-won = won
grade-half-won = half won
grade-void = void
grade-push = push
grade-half-lost = half lost
grade-lost = lost
best = (best)
none = none
nothing = nothing
slice-all = All
market-moneyline = moneyline
market-spread = spread
market-total = total
forecast-home-rate = Home rate
forecast-elo = Elo
forecast-normal-margin = Normal margin
forecast-poisson = Poisson
forecast-dixon-coles = Dixon-Coles
forecast-opening-line = Opening line
forecast-closing-line = Closing line
forecast-linear = Linear, no prices
forecast-linear-market = Linear with prices
forecast-hgt = HGT, no prices
forecast-hgt-market = HGT with prices

## Sentences.

settled-sum = { $profit } on { $staked } staked in { $bets }, mean CLV { $clv }.
settled-sum-no-close = { $profit } on { $staked } staked in { $bets }, no closing price is known.
none-settled = No bet was settled.
settled-note = CLV, closing line value: expected return of the price taken against the no-vig close.
bankroll-told = { $now }, { $change } since { $since }. Lowest { $low }, highest { $high }.
bankroll-new = No history yet: the curve starts with the second day.
band-told = The band is where the bets' own claims expected it, nineteen times of twenty.
no-record = No bet has been settled so far.
luck = Luck or skill? On { $games } the bets claimed { $expected } ± { $deviation } and made { $observed }.
luck-close = Luck or skill? On { $games } the bets claimed { $expected } ± { $deviation } ({ $close } at the closing prices) and made { $observed }.
champion-told = Champion { $version } since { $since }, chosen from { $configurations }, trained on data before { $data_as_of }.
league-span = { $from } to { $to }
lower-is-better = lower is better
information = Weight given to the model against the price: { $weight } ± { $error } ({ $games }).
models-note = Held-out games, every row on the same ones; lower is better. Against the close: mean log-loss minus that of the closing line, ± one standard error.
reliability-asked = How often did it happen when the model said so?
text-reliability = Reliability, forecast and observed:
text-games = games
no-feed = No feed is configured.
text-feed = newest price { $price } ({ $age }), newest result { $result }, { $rows } new rows
refused = { $rows } refused and kept in quarantine:
none-refused = No row was refused.
steps-failed = Steps of the night that failed:
text-instead = used instead:
words-of-bets = Edge: what a stake brings on average beyond itself, if our probability is right. At the fair price it brings nothing. The interval shows how unsure we are of the probability.
words-of-lenses = Lenses, from 0 to 1. Circle: have our forecasts known more than prices like this one? Margin: is it still a good bet if we err? Mr. Market: will this price beat the close? Moat: does the edge survive another method, less evidence, a worse price? Fat pitch: how much growth does it add tonight? All lenses: their weighted geometric mean; what has no data does not count.
words-of-scores = Log-loss, Brier score and RPS measure how far forecasts were from what happened; ECE, how far chances as stated were from chances as observed. The close is the last price before the start, the hardest to beat.

## Where the numbers come from.

trace-price = price from
trace-row = row { $row }, seen { $seen }; predicted as of { $as_of } by model
trace-short = row { $row }, { $seen }; model
trace-weights = Lens weights { $version }.
trace-model = Model
trace-commit = from commit
trace-as-of = As of { $as_of }, { $zone }.

## Charts.

chart-bankroll = Bankroll by day from { $from } to { $to }: it went from { $first } to { $last }.
chart-reliability = Reliability over { $forecasts }: forecast share against observed share; the widest gap is { $forecast } forecast, { $observed } observed.
axis-forecast = forecast, % (larger dot: more games)
axis-observed = observed, %

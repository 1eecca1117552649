//! A game with everything in it.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use market::{
    Explanation, Game, Market, Points, Price, Selection,
    explanation::{Effect, Neighbour, Step},
};
use report::{
    input::{Lens, LensScore, LensView, Pick},
    pages::input::{
        GamePage, JudgedQuote, Neighbourhood, OutcomeProbability, PriceHistory, Quote, ShownEdge, ShownNode,
        Variant,
    },
};

use super::{Facts, sample, site};

const BOOKS: [&str; 6] = ["Lighthouse", "Northbet", "Corner House", "Old Exchange", "Ferry Lane", "Quayside"];

pub(crate) fn game() -> Facts<GamePage> {
    let report = sample()?;
    let pick = report.picks.first().ok_or("the sample has no pick")?;
    let game = Arc::clone(&pick.game);
    let [margin, total] = scores(1.62, 1.08);
    let explanations = vec![explanation(&game, report.as_of, true), explanation(&game, report.as_of, false)];
    Ok(GamePage {
        site: site()?,
        as_of: report.as_of,
        score: None,
        model_version: report.champion.map(|champion| champion.version),
        variants: variants(),
        consensus: vec![(Selection::Home, 0.471), (Selection::Draw, 0.270), (Selection::Away, 0.259)],
        margin,
        total,
        quotes: quotes(report.as_of)?,
        history: history(report.as_of)?,
        judged: judged(pick)?,
        neighbourhood: Some(neighbourhood(&game)),
        explanations,
        game,
    })
}

/// Probabilities of a count with that mean.
fn poisson(mean: f64, most: usize) -> Vec<f64> {
    let mut p = (-mean).exp();
    let mut mass = Vec::new();
    for count in 0..=most {
        mass.push(p);
        p *= mean / (count + 1) as f64;
    }
    mass
}

/// Margin and total of two independent counts.
fn scores(home: f64, away: f64) -> [Vec<(i32, f64)>; 2] {
    let most = 9_usize;
    let (home, away) = (poisson(home, most), poisson(away, most));
    let mut margin = vec![0.0; 2 * most + 1];
    let mut total = vec![0.0; 2 * most + 1];
    for (i, p) in home.iter().enumerate() {
        for (j, q) in away.iter().enumerate() {
            margin[most + i - j] += p * q;
            total[i + j] += p * q;
        }
    }
    [(-(most as i32)..).zip(margin).collect(), (0..).zip(total).collect()]
}

fn variants() -> Vec<Variant> {
    let sides = [Selection::Home, Selection::Draw, Selection::Away];
    let variant = |uses_market, chances: [f64; 3], width: f64| {
        let outcome = |(selection, probability)| OutcomeProbability {
            selection,
            probability,
            interval_90: Some((probability - width, probability + width)),
        };
        Variant { uses_market, outcomes: sides.into_iter().zip(chances).map(outcome).collect() }
    };
    vec![variant(true, [0.486, 0.268, 0.246], 0.021), variant(false, [0.512, 0.255, 0.233], 0.044)]
}

fn quotes(as_of: Timestamp) -> Facts<Vec<Quote>> {
    let lines = [
        (Market::Moneyline, Selection::Home, None, 2.04, 0.476),
        (Market::Moneyline, Selection::Draw, None, 3.58, 0.268),
        (Market::Moneyline, Selection::Away, None, 3.62, 0.256),
        (Market::Spread, Selection::Home, Some(-0.75), 2.02, 0.486),
        (Market::Spread, Selection::Away, Some(0.75), 1.86, 0.514),
        (Market::Spread, Selection::Home, Some(-0.5), 1.92, 0.498),
        (Market::Total, Selection::Over, Some(2.5), 1.94, 0.502),
        (Market::Total, Selection::Under, Some(2.5), 1.92, 0.498),
    ];
    let mut quotes = Vec::new();
    for (index, (market, selection, points, price, fair)) in lines.into_iter().enumerate() {
        let books = BOOKS.into_iter().enumerate().filter(|(place, _)| index != 5 || place % 2 == 0);
        for (place, book) in books {
            let price = price + 0.02 * ((place * 5 + index * 3) % 7) as f64 - 0.06;
            quotes.push(Quote {
                market,
                selection,
                points: points.and_then(Points::from_f64),
                book: book.into(),
                price: Price::new((price * 100.0).round() / 100.0)?,
                captured_at: as_of - SignedDuration::from_mins(8 + 11 * place as i64),
                no_vig: (place != 4).then_some(fair + 0.003 * (place as f64 - 2.0)),
                edge: Some(fair * price - 1.0 + 0.01),
            });
        }
    }
    Ok(quotes)
}

fn history(as_of: Timestamp) -> Facts<Vec<PriceHistory>> {
    let mut all = Vec::new();
    for (selection, opening) in [(Selection::Home, 2.16), (Selection::Draw, 3.5), (Selection::Away, 3.3)] {
        for (place, book) in BOOKS.into_iter().enumerate() {
            let mut prices = Vec::new();
            for step in 0..6_i64 {
                let seen = as_of - SignedDuration::from_mins(60 * 9 * (5 - step) + 7 * place as i64 + 4);
                let drift = if selection == Selection::Home { -0.021 } else { 0.03 };
                let wobble = 0.02 * ((place as i64 * 3 + step * 5) % 4) as f64;
                let price = opening + drift * step as f64 + wobble;
                prices.push((seen, Price::new((price * 100.0).round() / 100.0)?));
            }
            all.push(PriceHistory { selection, book: book.into(), prices });
        }
    }
    Ok(all)
}

fn judged(pick: &Pick) -> Facts<Vec<JudgedQuote>> {
    let taken = JudgedQuote {
        market: pick.market,
        selection: pick.selection,
        points: pick.points,
        book: pick.book.clone(),
        price: pick.price,
        edge: pick.edge,
        lenses: pick.lenses.clone(),
        score: Some(pick.score),
        stake: Some(pick.stake),
        verdict: "Taken: the best of six prices for this handicap.".to_owned(),
    };
    let lens = |lens, score| LensView { lens, score };
    let refused = JudgedQuote {
        market: Market::Moneyline,
        selection: Selection::Draw,
        points: None,
        book: "Northbet".into(),
        price: Price::new(3.65)?,
        edge: -0.021,
        lenses: vec![
            lens(Lens::CircleOfCompetence, LensScore::Score(0.36)),
            lens(Lens::MarginOfSafety, LensScore::Veto("the chance of a positive return is 21 %".to_owned())),
            lens(Lens::MrMarket, LensScore::Missing("only one book has a fresh price".to_owned())),
            lens(Lens::Moat, LensScore::Score(0.12)),
            lens(Lens::FatPitch, LensScore::Score(0.0)),
        ],
        score: None,
        stake: None,
        verdict: "Not taken.".to_owned(),
    };
    Ok(vec![taken, refused])
}

/// Kind, name, relation, what it says, attention, effect.
const BESIDE: [(&str, &str, &str, &str, f64, f64); 10] = [
    ("team", "Harbour City", "home_team", "Elo 1561, form +0.42, 512 games", 0.31, 0.041),
    ("team", "St. Alban's Rovers", "away_team", "Elo 1538, form −0.10, 498 games", 0.27, 0.012),
    ("venue", "Harbour Ground", "venue", "240 games, form +0.31", 0.08, 0.006),
    ("coach", "M. Aldersey", "home_coach", "61 games, form +0.22", 0.05, 0.003),
    ("coach", "P. Wexcombe", "away_coach", "140 games, form −0.04", 0.05, -0.002),
    ("player", "T. Hallow", "home_key_player", "88 games, form +0.12", 0.06, 0.004),
    ("player", "J. Fenwick", "away_key_player", "12 games, form −0.51", 0.09, 0.011),
    ("referee", "R. Stainforth", "referee", "203 games, form −0.02", 0.02, 0.0),
    ("line", "Lighthouse, moneyline", "quotes", "home 47 %, draw 27 %, away 26 %", 0.04, -0.008),
    ("line", "Northbet, moneyline", "quotes", "home 48 %, draw 27 %, away 25 %", 0.03, -0.006),
];

const OPPONENTS: [&str; 6] =
    ["Westmoor", "Eastvale", "Port Linden", "Ashford Town", "Kelso Park", "Millbrook Athletic"];

fn neighbourhood(game: &Game) -> Neighbourhood {
    let centre = node("game", &format!("{} v {}", game.home, game.away), 0);
    let mut shown = Neighbourhood { nodes: vec![centre], edges: Vec::new() };
    for (kind, name, relation, says, attention, effect) in BESIDE {
        let age = (relation == "quotes").then_some(0.3);
        let way = ShownEdge { attention: Some(attention), effect: Some(effect), ..edge(relation, age, says) };
        add(&mut shown, node(kind, name, 1), 0, way);
    }
    for (index, opponent) in (0_u8..).zip(OPPONENTS) {
        for (target, team) in [(1, "Harbour City"), (2, "St. Alban's Rovers")] {
            let age = 6.8 + 7.0 * f64::from(index) + target as f64;
            let says = format!("margin {:+}, 0.4 s.d. above expectation", i32::from(index) % 4 - 1);
            let attention = Some(0.3 / f64::from(index + 1));
            let way = ShownEdge { attention, ..edge("played", Some(age), &says) };
            add(&mut shown, node("outcome", &format!("{team} v {opponent}"), 2), target, way);
        }
    }
    for (line, book) in [(9, "Lighthouse"), (10, "Northbet")] {
        add(&mut shown, node("book", book, 2), line, edge("of_book", None, "mean overround 4.1 %"));
    }
    shown
}

fn add(shown: &mut Neighbourhood, node: ShownNode, target: usize, way: ShownEdge) {
    shown.edges.push(ShownEdge { source: shown.nodes.len(), target, ..way });
    shown.nodes.push(node);
}

fn node(kind: &str, label: &str, hop: usize) -> ShownNode {
    ShownNode { kind: kind.to_owned(), label: label.to_owned(), hop }
}

fn edge(relation: &str, age_days: Option<f64>, says: &str) -> ShownEdge {
    ShownEdge {
        relation: relation.to_owned(),
        source: 0,
        target: 0,
        age_days,
        says: says.to_owned(),
        attention: None,
        effect: None,
    }
}

fn explanation(game: &Arc<Game>, as_of: Timestamp, uses_prices: bool) -> Explanation {
    let step = |name: &str, home| Step { name: name.to_owned(), home };
    let effect = |name: &str, says: &str, home| Effect { name: name.to_owned(), says: says.to_owned(), home };
    let neighbour = |path: &str, effect, attention| Neighbour {
        path: vec![path.to_owned()],
        effect,
        age_days: 6.8,
        attention,
    };
    let mut steps = vec![
        step("in this league", 0.441),
        step("the ratings", 0.478),
        step("the plain features", 0.496),
        step("the neighbours' messages", 0.512),
    ];
    steps.extend(uses_prices.then(|| step("the prices", 0.486)));
    Explanation {
        game: Arc::clone(game),
        as_of,
        model_version: "2026-11-17-9be1d07c".to_owned(),
        uses_prices,
        steps,
        features: vec![
            effect("days of rest, home less away", "+2.0", 0.012),
            effect("form of the last five, home less away", "+0.5", 0.006),
        ],
        kinds: vec![effect("team", "2 nodes", 0.014), effect("coach", "2 nodes", -0.002)],
        neighbours: vec![
            neighbour("away_key_player", effect("J. Fenwick", "12 games, form -0.51", 0.011), 0.09),
            neighbour("home_key_player", effect("T. Hallow", "88 games, form +0.12", 0.004), 0.06),
        ],
    }
}

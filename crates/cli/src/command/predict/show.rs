//! Tables and JSON of predictions. Writing to a string cannot fail, so its result is let go.

use std::fmt::Write as _;

use jiff::tz::TimeZone;
use lenses::{Lens, LensKind, arbitrage::Leg};
use market::{Explanation, LineRow, Market, Money, Points, Prediction, ScoreForecast, Selection};
use serde_json::{Value, json};

use crate::{
    night::{Night, Slate, Verdict, outcome_probabilities},
    table::{counted, percent, signed_percent, table},
};

/// Returns the selection as a bettor writes it: `Brentford +0.5`, `over 2.5`.
pub(crate) fn selection(verdict: &Verdict) -> String {
    quote(&verdict.line)
}

fn quote(line: &LineRow) -> String {
    let side = match line.selection {
        Selection::Home => line.game.home.as_str(),
        Selection::Away => line.game.away.as_str(),
        Selection::Draw => "draw",
        Selection::Over => "over",
        Selection::Under => "under",
    };
    match line.points {
        Some(points) if line.market == Market::Spread => format!("{side} {:+}", points.as_f64()),
        Some(points) => format!("{side} {points}"),
        None => side.to_owned(),
    }
}

pub(super) fn game(prediction: &Prediction, slate: &Slate, zone: &TimeZone) -> String {
    let game = &prediction.game;
    let start = game.start_time.to_zoned(zone.clone()).strftime("%a %d %b %Y %H:%M %Z");
    let mut text = format!(
        "{} – {}\n{start} · {}\n{}\nmodel {} · as of {}\n",
        game.home, game.away, game.league, game.game_id, slate.model.version, prediction.as_of
    );
    let draws = slate.has_draws(prediction);
    let mut shown = table(&["forecast", ">home", ">draw", ">away", ">margin", ">total"]);
    let variants =
        [("with prices", &prediction.members), ("without prices", &prediction.members_without_market)];
    for (name, members) in variants.into_iter().filter(|(_, members)| !members.is_empty()) {
        let [home, draw, away] = outcome_probabilities(members, draws);
        let mean = |of: fn(&ScoreForecast) -> f64| members.iter().map(of).sum::<f64>() / members.len() as f64;
        let margin = mean(|member| member.margin.mean());
        let total = mean(|member| member.total.mean());
        let draw = if draws { percent(draw) } else { "–".to_owned() };
        shown.add_row([
            name,
            &percent(home),
            &draw,
            &percent(away),
            &format!("{margin:+.1}"),
            &format!("{total:.1}"),
        ]);
    }
    text.push_str(&shown.to_string());
    if slate.verdicts.is_empty() {
        text.push_str("\nNo fresh price to compare with.\n");
        return text;
    }
    let mut prices = table(&["selection", "best book", ">price", ">fair", ">edge", ">score", ">stake"]);
    for verdict in slate.verdicts.iter().take(12) {
        prices.add_row(price_row(selection(verdict), verdict));
    }
    let _ = write!(text, "\n\n{prices}\n");
    if let Some(best) = slate.verdicts.first() {
        let _ = write!(
            text,
            "\nThrough the lenses: {} at {} ({})\n",
            selection(best),
            best.line.price,
            best.line.book
        );
        text.push_str(&lens_table(best));
    }
    text
}

/// Tells in words and tables what carried a forecast.
pub(super) fn explanation(explanation: &Explanation) -> String {
    let mut story =
        table(&["what carried it (points: home's chance with everything, less that without the part)"]);
    for sentence in explanation.words() {
        story.add_row([sentence]);
    }
    let mut text = format!("\n{story}\n");
    if !explanation.features.is_empty() {
        let mut shown = table(&["plain feature", ">value", ">home, points"]);
        for effect in &explanation.features {
            shown.add_row([effect.name.clone(), effect.says.clone(), points(effect.home)]);
        }
        let _ = write!(text, "\n{shown}\n");
    }
    if explanation.neighbours.iter().any(|neighbour| neighbour.effect.home.abs() >= 5e-5) {
        let mut shown = table(&["neighbour", "as", ">days", ">attention", ">home, points"]);
        for neighbour in &explanation.neighbours {
            let name = format!("{}\n{}", neighbour.effect.name, neighbour.effect.says);
            let path = neighbour.path.join(" < ");
            let days = format!("{:.0}", neighbour.age_days);
            shown.add_row([name, path, days, percent(neighbour.attention), points(neighbour.effect.home)]);
        }
        let _ = write!(text, "\n{shown}\n");
    }
    text
}

fn points(change: f64) -> String {
    // Adding zero takes the sign off a change that rounds to nothing.
    format!("{:+.2}", (10_000.0 * change).round() / 100.0 + 0.0)
}

pub(super) fn slate(slate: &Slate, night: &Night, zone: &TimeZone) -> String {
    let picks: Vec<&Verdict> = slate.picks().collect();
    let staked: Money = picks.iter().map(|verdict| verdict.stake.amount).sum();
    let mut text = format!(
        "{}: {}, {} compared\nmodel {} · as of {}\n",
        night.date,
        counted(slate.predictions.len(), "game"),
        counted(slate.prices_compared, "price"),
        slate.model.version,
        night.as_of
    );
    if slate.predictions.is_empty() {
        text.push_str("No game starts within the slate's hours.\n");
        return text;
    }
    let mut games = table(&["start", "game", ">home", ">draw", ">away", ">total"]);
    for prediction in &slate.predictions {
        let start = prediction.game.start_time.to_zoned(zone.clone()).strftime("%a %H:%M").to_string();
        let draws = slate.has_draws(prediction);
        let [home, draw, away] = outcome_probabilities(&prediction.members, draws);
        let draw = if draws { percent(draw) } else { "–".to_owned() };
        let members = prediction.members.len().max(1) as f64;
        let total = prediction.members.iter().map(|m| m.total.mean()).sum::<f64>() / members;
        let name =
            format!("{} – {}\n{}", prediction.game.home, prediction.game.away, prediction.game.game_id);
        games.add_row([start, name, percent(home), draw, percent(away), format!("{total:.1}")]);
    }
    let _ = write!(text, "{games}\n\n");
    for prediction in &slate.predictions {
        let _ = writeln!(text, "edge predict game {}", prediction.game.game_id);
    }
    text.push('\n');
    if picks.is_empty() {
        text.push_str("No edge tonight.\n");
    } else {
        let _ = writeln!(text, "{}, {staked} staked", counted(picks.len(), "bet"));
        text.push_str(&bets_table(&picks));
    }
    let missed = slate.near_misses();
    if !missed.is_empty() {
        let mut shown = table(&["near miss", ">price", ">edge", "stopped by"]);
        for verdict in missed.iter().take(8) {
            let (lens, reason) = verdict.stopped_by().unwrap_or_default();
            let by = lens.map_or(reason.clone(), |lens| format!("{}: {reason}", lens.title()));
            let name =
                format!("{}\n{} – {}", selection(verdict), verdict.line.game.home, verdict.line.game.away);
            shown.add_row([name, verdict.line.price.to_string(), signed_percent(verdict.edge), by]);
        }
        let _ = write!(text, "\n{shown}\n");
    }
    text + &contradictions(slate)
}

/// Prices that contradict one another: apart from the bets, for they rest on no forecast of ours.
fn contradictions(slate: &Slate) -> String {
    if slate.sure_profits.is_empty() && slate.middles.is_empty() {
        return String::new();
    }
    let mut shown = table(&["prices that contradict one another", ">share", ">net"]);
    let leg = |leg: &Leg| format!("{} {} at {}", quote(&leg.line), leg.line.price, leg.line.book);
    let row = |legs: &[Leg], net: String| {
        let game =
            legs.first().map_or_else(String::new, |l| format!("{} – {}", l.line.game.home, l.line.game.away));
        let names: Vec<String> = std::iter::once(game).chain(legs.iter().map(leg)).collect();
        let shares: Vec<String> =
            std::iter::once(String::new()).chain(legs.iter().map(|leg| percent(leg.share))).collect();
        [names.join("\n"), shares.join("\n"), net]
    };
    for sure in slate.sure_profits.iter().take(5) {
        shown.add_row(row(&sure.legs, format!("sure\n{}", signed_percent(sure.net))));
    }
    for middle in slate.middles.iter().take(5) {
        let net = format!(
            "{} inside\n{} outside\n{} both win",
            signed_percent(middle.inside),
            signed_percent(middle.outside),
            percent(middle.chance)
        );
        shown.add_row(row(&middle.legs, net));
    }
    format!(
        "\n{shown}\n{} and {} in all; not staked, and often gone or limited when tried.\n",
        counted(slate.sure_profits.len(), "sure profit"),
        counted(slate.middles.len(), "middle")
    )
}

fn bets_table(picks: &[&Verdict]) -> String {
    let mut bets = table(&["bet", "best book", ">price", ">fair", ">edge", ">score", ">stake"]);
    for verdict in picks {
        let game = &verdict.line.game;
        bets.add_row(price_row(format!("{}\n{} – {}", selection(verdict), game.home, game.away), verdict));
    }
    format!("{bets}\n")
}

fn price_row(name: String, verdict: &Verdict) -> [String; 7] {
    let fair = verdict.posterior.map_or_else(|| "–".to_owned(), |p| format!("{:.2}", 1.0 / p.probability));
    let score = verdict.aggregate.score().map_or_else(|| "–".to_owned(), |score| format!("{score:.2}"));
    [
        name,
        verdict.line.book.to_string(),
        verdict.line.price.to_string(),
        fair,
        signed_percent(verdict.edge),
        score,
        verdict.stake.amount.to_string(),
    ]
}

fn lens_table(verdict: &Verdict) -> String {
    let mut shown = table(&["lens", ">score", "why"]);
    for (kind, lens) in LensKind::ALL.into_iter().zip(&verdict.lenses) {
        let (score, why) = match lens {
            Lens::Score(score) => (format!("{score:.2}"), ""),
            Lens::Veto { reason } => ("veto".to_owned(), reason.as_str()),
            Lens::Missing { reason } => ("missing".to_owned(), reason.as_str()),
        };
        shown.add_row([kind.title(), &score, why]);
    }
    format!("{shown}\n")
}

pub(super) fn game_json(prediction: &Prediction, slate: &Slate, explanation: Option<&Explanation>) -> Value {
    let mut value = json!({
        "game": prediction.game,
        "as_of": prediction.as_of,
        "model_version": slate.model.version,
        "moneyline": moneyline_json(&prediction.members),
        "moneyline_without_market": moneyline_json(&prediction.members_without_market),
        "prices": slate.verdicts.iter().map(verdict_json).collect::<Vec<_>>(),
    });
    if let Some(explanation) = explanation {
        value["explanation"] = json!(explanation);
    }
    value
}

pub(super) fn slate_json(slate: &Slate) -> Value {
    let games: Vec<Value> = slate
        .predictions
        .iter()
        .map(|prediction| json!({"game": prediction.game, "as_of": prediction.as_of, "moneyline": moneyline_json(&prediction.members)}))
        .collect();
    json!({
        "model_version": slate.model.version,
        "games": games,
        "prices_compared": slate.prices_compared,
        "refused": slate.refused,
        "bets": slate.picks().map(verdict_json).collect::<Vec<_>>(),
        "near_misses": slate.near_misses().into_iter().map(verdict_json).collect::<Vec<_>>(),
        "sure_profits": slate.sure_profits,
        "middles": slate.middles,
    })
}

fn moneyline_json(members: &[ScoreForecast]) -> Value {
    let [home, draw, away] = outcome_probabilities(members, true);
    json!({"home": home, "draw": draw, "away": away})
}

fn verdict_json(verdict: &Verdict) -> Value {
    let line = &verdict.line;
    json!({
        "game_id": line.game.game_id,
        "market": line.market,
        "selection": line.selection,
        "points": line.points.map(Points::as_f64),
        "book": line.book,
        "price": line.price.decimal(),
        "captured_at": line.captured_at,
        "raw_ref": line.raw_ref.to_string(),
        "probability_model": verdict.probability_model,
        "probability_market": verdict.probability_market,
        "probability": verdict.posterior.map(|p| p.probability),
        "interval_90": verdict.posterior.map(|p| p.interval_90),
        "edge": verdict.edge,
        "lenses": LensKind::ALL.into_iter().zip(&verdict.lenses).map(|(kind, lens)| (kind.as_str().to_owned(), json!(lens))).collect::<serde_json::Map<_, _>>(),
        "score": verdict.aggregate.score(),
        "stake": verdict.stake.amount,
        "cuts": verdict.stake.cuts,
    })
}

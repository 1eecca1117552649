//! `edge predict`: one game or a night's slate, as probabilities, prices, lenses and stakes.

mod mocked;
mod show;
mod source;

use std::sync::Arc;

use anyhow::Context as _;
use data::Snapshot;
use market::{Game, GameQuery, LeagueId};

use self::source::Answers;
use crate::{
    args::{PredictCommand, PredictGameArgs, PredictSlateArgs},
    context::{Context, say},
    exit::{Status, Usage},
    night::{self, Night, Predicted, Slate},
};

pub(crate) fn run(command: PredictCommand, context: &Arc<Context>) -> anyhow::Result<Status> {
    match command {
        PredictCommand::Game(args) => game(&args, context),
        PredictCommand::Slate(args) => slate(&args, context),
    }
}

fn game(args: &PredictGameArgs, context: &Arc<Context>) -> anyhow::Result<Status> {
    let (date, as_of) = context.night(args.date)?;
    let night = Night { date, as_of, dry_run: args.dry_run };
    let mut explanation = None;
    let (predicted, snapshot) = if args.test {
        say("edge: --test answers from a mocked endpoint; nothing here comes from data");
        mocked::answer(args, as_of)?
    } else {
        let answers = Answers::open(context, as_of)?;
        let snapshot = source::snapshot_or_note(context, as_of)?;
        let query = scheduled(query(args)?, &snapshot);
        let predicted = answers.predict(&query)?;
        if args.explain {
            explanation = Some(answers.explain(&query)?);
        }
        (predicted, snapshot)
    };
    let slate = night::decide(context, &night, predicted, &snapshot)?;
    let prediction = slate.predictions.first().context("the endpoint answered without a game")?;
    if args.json {
        context.print_json(&show::game_json(prediction, &slate, explanation.as_ref()))?;
    } else {
        context.print(&show::game(prediction, &slate, &context.time_zone()?))?;
        if let Some(explanation) = &explanation {
            context.print(&show::explanation(explanation))?;
        }
    }
    paper(context, &night, &slate)
}

fn slate(args: &PredictSlateArgs, context: &Arc<Context>) -> anyhow::Result<Status> {
    let (date, as_of) = context.night(args.date)?;
    let night = Night { date, as_of, dry_run: args.dry_run };
    let predicted = Answers::open(context, as_of)?.slate(context.settings.report.slate_hours)?;
    let slate = night::decide(context, &night, predicted, &source::snapshot_or_note(context, as_of)?)?;
    if args.json {
        context.print_json(&show::slate_json(&slate))?;
    } else {
        context.print(&show::slate(&slate, &night, &context.time_zone()?))?;
    }
    paper(context, &night, &slate)
}

/// With `--dry-run` the picks become paper bets.
fn paper(context: &Context, night: &Night, slate: &Slate) -> anyhow::Result<Status> {
    if night.dry_run {
        let placed = night::place(context, night, slate, "predict")?;
        say(&format!("edge: {placed} paper bets written to the ledger"));
    }
    Ok(Status::Done)
}

fn query(args: &PredictGameArgs) -> anyhow::Result<GameQuery> {
    let league =
        args.league.as_deref().map(LeagueId::new).transpose().map_err(|error| Usage(error.to_string()))?;
    let key_players_out = args.out.iter().map(|name| name.as_str().into()).collect();
    Ok(match (&args.game, &args.home, &args.away) {
        (Some(game), ..) => GameQuery::Known { game_id: market::GameId::from_text(game), key_players_out },
        (None, Some(home), Some(away)) => GameQuery::Hypothetical {
            league,
            home: home.as_str().into(),
            away: away.as_str().into(),
            start_time: None,
            venue: args.venue.as_deref().map(Into::into),
            key_players_out,
        },
        _ => return Err(Usage("name a game id, or --home and --away".to_owned()).into()),
    })
}

/// Returns the next scheduled game of two teams in the place of a made-up one: only it has prices.
///
/// With a venue it stays made up, for a scheduled game has its own.
fn scheduled(query: GameQuery, snapshot: &Snapshot) -> GameQuery {
    let GameQuery::Hypothetical { league, home, away, start_time: None, venue: None, key_players_out } =
        &query
    else {
        return query;
    };
    let is_it = |game: &&Arc<Game>| {
        league.as_ref().is_none_or(|league| *league == game.league)
            && (&game.home, &game.away) == (home, away)
            && game.start_time > snapshot.as_of
    };
    let games =
        snapshot.context.iter().map(|row| &row.game).chain(snapshot.lines.iter().map(|row| &row.game));
    let Some(game) = games.filter(is_it).min_by_key(|game| game.start_time) else { return query };
    say(&format!("edge: this is the scheduled game {}", game.game_id));
    GameQuery::Known { game_id: game.game_id.clone(), key_players_out: key_players_out.clone() }
}

impl Predicted {
    fn only(prediction: market::Prediction, model: market::ModelCard) -> Self {
        Self { model, predictions: vec![prediction] }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::args::{Cli, Command};

    fn asked(words: &[&str]) -> GameQuery {
        let cli = Cli::try_parse_from([&["edge", "predict", "game"], words].concat()).unwrap();
        match cli.command {
            Command::Predict(PredictCommand::Game(args)) => query(&args).unwrap(),
            other => panic!("{other:?} is no game"),
        }
    }

    #[test]
    fn flags_become_the_query() {
        let moved = asked(&[
            "--home", "MIA", "--away", "BAL", "--venue", "Wembley", "--out", "Tua", "--out", "Lamar",
        ]);
        let wanted = GameQuery::Hypothetical {
            league: None,
            home: "MIA".into(),
            away: "BAL".into(),
            start_time: None,
            venue: Some("Wembley".into()),
            key_players_out: vec!["Tua".into(), "Lamar".into()],
        };
        assert_eq!(moved, wanted);
        let known = GameQuery::Known {
            game_id: market::GameId::from_text("nfl_1"),
            key_players_out: vec!["Tua".into()],
        };
        assert_eq!(asked(&["nfl_1", "--out", "Tua"]), known);
        let elsewhere = Cli::try_parse_from(["edge", "predict", "game", "nfl_1", "--venue", "Wembley"]);
        assert!(elsewhere.is_err(), "a known game has a venue of its own");
    }
}

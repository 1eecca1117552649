//! `edge train`: trains an ensemble and publishes it when it is better.

use std::fmt::Write as _;

use data::{Pull, Source, demo::DemoSource};
use graph::Graph;
use market::predictor::LeagueScores;
use model::{DeviceChoice, Progress, Provenance, Stage, Step, TrainSettings, Trainer, Variant};

use crate::{
    args::TrainArgs,
    context::{Context, say},
    exit::{Status, Usage},
    night,
    profile::Profile,
    progress,
    table::table,
};

pub(crate) fn run(args: &TrainArgs, context: &Context) -> anyhow::Result<Status> {
    let mut settings = context.settings.model.clone();
    if let Some(epochs) = args.epochs {
        settings.epochs = epochs;
    }
    if let Some(device) = &args.device {
        settings.device = parse_device(device)?;
    }
    if args.smoke_test {
        return smoke_test(&settings, context, args.json);
    }
    let (_, as_of) = context.night(args.date)?;
    let mut bar = Bar::new(&settings);
    let challenger = if args.update {
        night::update(context, as_of, &settings, &mut bar)?
    } else {
        night::train(context, as_of, settings, 1, &mut bar)?
    };
    bar.shown.finish_and_clear();
    let decision = night::promote(context, as_of, &challenger)?;
    let profile = Profile::read(challenger.seconds);
    if args.json {
        context.print_json(&serde_json::json!({
            "card": challenger.card,
            "seconds": challenger.seconds,
            "seconds_per_epoch": challenger.seconds_per_epoch,
            "decision": decision,
            "profile": profile.map(|profile| profile.json()),
        }))?;
        return Ok(Status::Done);
    }
    for scores in &challenger.card.scores {
        context.print(&scores_table(scores))?;
    }
    if let Some(profile) = profile {
        context.print(&profile.table())?;
    }
    say(&format!(
        "edge: trained {} in {:.0} s ({:.2} s per epoch); {}",
        challenger.card.version, challenger.seconds, challenger.seconds_per_epoch, decision.why
    ));
    Ok(Status::Done)
}

fn parse_device(text: &str) -> anyhow::Result<DeviceChoice> {
    match text {
        "auto" => Ok(DeviceChoice::Auto),
        "cpu" => Ok(DeviceChoice::Cpu),
        "cuda" => Ok(DeviceChoice::Cuda),
        _ => Err(Usage(format!("--device is `{text}`, it must be auto, cpu or cuda")).into()),
    }
}

/// Trains a tiny network on the demo league, in memory; nothing is read from the store or written to it.
fn smoke_test(settings: &TrainSettings, context: &Context, json: bool) -> anyhow::Result<Status> {
    let settings = night::tiny(settings);
    let source = DemoSource::new(DemoSource::league("demo")?, data::demo::DEFAULT_SEED);
    let mut parsed = data::Parsed::default();
    for payload in source.fetch(&Pull::new(context.now))? {
        let part = source.parse(&payload, &"smoke-test".into())?;
        parsed.lines.extend(part.lines);
        parsed.results.extend(part.results);
        parsed.context.extend(part.context);
    }
    let leagues = vec![source.league().clone()];
    let snapshot = data::Snapshot::new(context.now, leagues, parsed.lines, parsed.results, parsed.context);
    let graph = Graph::build(&snapshot);
    let mut bar = Bar::new(&settings);
    let trained = Trainer::new(&graph, settings, Provenance::default()).train(&mut bar)?;
    bar.shown.finish_and_clear();
    if json {
        context.print_json(trained.ensemble.card())?;
    } else {
        for scores in &trained.ensemble.card().scores {
            context.print(&scores_table(scores))?;
        }
    }
    say("edge: smoke test passed: graph, sampler, network, training and scoring work; nothing was published");
    Ok(Status::Done)
}

/// Models beside baselines on the same held-out games.
pub(super) fn scores_table(scores: &LeagueScores) -> String {
    let mut shown = table(&["forecast", ">log-loss", ">brier", ">rps", ">ece", ">vs closing"]);
    for forecast in &scores.forecasts {
        let closing = match (forecast.log_loss_minus_closing, forecast.standard_error) {
            (Some(difference), Some(error)) => format!("{difference:+.4} ± {error:.4}"),
            _ => "–".to_owned(),
        };
        shown.add_row([
            forecast.name.clone(),
            format!("{:.4}", forecast.log_loss),
            format!("{:.4}", forecast.brier),
            format!("{:.4}", forecast.rps),
            format!("{:.4}", forecast.ece),
            closing,
        ]);
    }
    let games = scores.forecasts.first().map_or(0, |forecast| forecast.games);
    let day = |instant: market::Timestamp| instant.strftime("%Y-%m-%d").to_string();
    let mut text = format!(
        "{}: {games} held-out games, {} to {}\n{shown}",
        scores.league,
        day(scores.from),
        day(scores.to)
    );
    if let Some(information) = scores.information {
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "\ninformation weight beside the market: {:.2} ± {:.2} ({} games)\n",
            information.weight, information.standard_error, information.games
        );
    }
    text
}

/// A bar over all epochs of all fits; a fit that stops early moves it to the next one's begin.
struct Bar {
    shown: indicatif::ProgressBar,
    /// Most epochs of one fit.
    epochs: usize,
    fits_begun: usize,
    fit: Option<(Variant, Stage, usize)>,
}

impl Bar {
    fn new(settings: &TrainSettings) -> Self {
        let fits = 2 * settings.ensemble * if settings.refit { 2 } else { 1 };
        let shown = progress::bar((fits * settings.epochs) as u64, "train");
        Self { shown, epochs: settings.epochs, fits_begun: 0, fit: None }
    }
}

impl Progress for Bar {
    fn step(&mut self, step: &Step) {
        let fit = Some((step.variant, step.stage, step.member));
        if self.fit != fit {
            self.fit = fit;
            self.fits_begun += 1;
        }
        self.shown.set_message(night::line_of(step));
        let before = self.epochs * (self.fits_begun - 1);
        // A second fit runs for as many epochs as the first found best: its share of them counts.
        let within = self.epochs * (step.epoch * step.batches + step.batch - step.batches)
            / (step.epochs * step.batches).max(1);
        self.shown.set_position((before + within) as u64);
    }
}

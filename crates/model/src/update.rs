//! A night's update: yesterday's members go on from where they stand, on a graph that knows one day more.
//!
//! Histograms and linear parts are fitted again on all games; what the messages have learnt goes on for one pass at the step
//! size at which it stopped. Scores, trust and confidence stay those of the last whole training: the games that an updated
//! member has learnt from cannot judge it. [`ModelFile::trained_as_of`](crate::ModelFile::trained_as_of) says when that was.

use std::collections::BTreeMap;

use market::LeagueId;

use crate::{
    Ensemble, LeagueBase, MemberRecord, ModelError, Progress, Stage, TrainSettings, Trainer, Variant,
    ensemble::Parts,
    examples::{Example, examples},
    fit::{Earned, FitPlan, Member, fit},
    ground::{all_games, league_bases, resampled},
    train::Watch,
};

/// Passes over all games.
const PASSES: usize = 1;
/// Updates after which a whole training has to judge again.
const MOST_UPDATES: usize = 14;

impl Trainer<'_> {
    /// Brings `previous` up to the trainer's graph.
    ///
    /// The same ensemble, graph and settings give the same bits on the CPU.
    ///
    /// # Errors
    /// When the graph knows less than `previous` was trained with, has other leagues, or the settings are others: then only
    /// a whole training will do.
    pub fn update(&self, previous: &Ensemble, progress: &mut dyn Progress) -> Result<Ensemble, ModelError> {
        let (graph, settings) = (self.graph(), self.settings());
        settings.check()?;
        self.check_previous(previous)?;
        let all = examples(graph);
        let leagues = league_bases(graph, &all);
        if leagues.iter().map(|league| &league.league).ne(leagues_of(previous)) {
            return Err(other_leagues(&leagues, previous));
        }
        settings.use_threads();
        let mut members = BTreeMap::new();
        for variant in Variant::ALL {
            let updated = self.update_variant(previous, variant, &all, progress)?;
            if !updated.is_empty() {
                members.insert(variant, updated);
            }
        }
        let file = previous.file();
        let mut card = file.card.clone();
        (card.version, card.sha256, card.data_as_of) = (String::new(), String::new(), graph.as_of());
        card.git_commit.clone_from(&self.provenance().git_commit);
        Ensemble::assemble(Parts {
            card,
            trained_as_of: file.trained_as_of,
            updates: file.updates + 1,
            settings: settings.clone(),
            leagues,
            ties_left_out: file.ties_left_out.clone(),
            records: file.members.iter().map(one_pass_later).collect(),
            ridges: file.ridges(),
            inputs: self.provenance().inputs.clone(),
            members,
        })
    }

    fn update_variant(
        &self,
        previous: &Ensemble,
        variant: Variant,
        all: &[Example],
        progress: &mut dyn Progress,
    ) -> Result<Vec<Member>, ModelError> {
        let settings = self.settings();
        let device = settings.device.resolve()?;
        let Some(sample) = previous.sample_settings(variant) else { return Ok(Vec::new()) };
        let (table, games) = all_games(self.graph(), settings, variant, all, sample, device)?;
        let records = previous.file().members.iter().filter(|record| record.variant == variant);
        let update = |(number, (record, old)): (usize, (&MemberRecord, &Member))| {
            let mut member = Member::new(old.net.architecture().clone(), record.seed, device);
            member.net.schema().check(&games.samples.tree)?;
            member.take_up(old)?;
            // It learns as it did at first; what it has earned is set again in the end.
            member.set_earned(Earned::default());
            let plan = FitPlan {
                settings,
                table: &table,
                seed: record.seed,
                epochs: if record.epochs == 0 { 0 } else { PASSES },
                goes_on: Some(record.epochs),
                ridge: previous.file().ridge(variant),
                earned: Some(Earned { trust: record.trust, confidence: record.confidence }),
                checkpoint: None,
                rungs: &[],
            };
            let stage = Stage::Update;
            let mut watch = Watch { progress: &mut *progress, variant, number, settings, stage };
            let drawn = resampled(settings, &games, record.seed);
            let games = drawn.as_ref().unwrap_or(&games);
            fit(&mut member, &plan, games, None, &mut |step| watch.report_of(step, PASSES))?;
            Ok(member)
        };
        records.zip(previous.members(variant)).enumerate().map(update).collect()
    }

    fn check_previous(&self, previous: &Ensemble) -> Result<(), ModelError> {
        let file = previous.file();
        if file.updates >= MOST_UPDATES {
            let since = file.trained_as_of;
            return Err(ModelError::NoUpdate(format!("it was updated {MOST_UPDATES} times since {since}")));
        }
        let TrainSettings { device, threads, checkpoint_seconds, .. } = *self.settings();
        // Where and how fast it is computed makes no other model.
        if (TrainSettings { checkpoint_seconds, device, threads, ..file.settings.clone() })
            != *self.settings()
        {
            return Err(ModelError::NoUpdate("it was trained under other settings".to_owned()));
        }
        let (then, now) = (file.card.data_as_of, self.graph().as_of());
        if then > now {
            return Err(ModelError::NoUpdate(format!("it knows games up to {then}, the graph up to {now}")));
        }
        Ok(())
    }
}

/// A member that never learnt from messages learns nothing from them now.
fn one_pass_later(record: &MemberRecord) -> MemberRecord {
    let epochs = if record.epochs == 0 { 0 } else { record.epochs + PASSES };
    MemberRecord { epochs, ..record.clone() }
}

fn leagues_of(previous: &Ensemble) -> impl Iterator<Item = &LeagueId> {
    previous.file().leagues.iter().map(|league| &league.league)
}

fn other_leagues(found: &[LeagueBase], previous: &Ensemble) -> ModelError {
    let list = |ids: Vec<String>| if ids.is_empty() { "none".to_owned() } else { ids.join(", ") };
    let found = list(found.iter().map(|league| league.league.to_string()).collect());
    let known = list(leagues_of(previous).map(ToString::to_string).collect());
    ModelError::NoUpdate(format!("it knows the leagues {known}, the graph {found}"))
}

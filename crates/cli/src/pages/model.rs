//! The champion, how good it is, and how it came to be that.

use report::{
    ReportData,
    input::Champion,
    pages::input::{Decision, ModelPage, Promotion},
};

use super::{Desk, Found};
use crate::{context::wall_clock, night, paths::Key};

impl Desk {
    pub(super) fn model(&self) -> Found {
        let (mut decisions, _) = night::decisions_and_champion(&self.context)?;
        let live = night::live_champion(&self.context)?;
        let site = night::site(&self.context, wall_clock());
        // What calibration costs is spent once a night; the page shows what the last one found.
        let last = night::report_dates(&self.context)?
            .into_iter()
            .max()
            .map(|date| self.read::<ReportData>(&Key::ReportData(date)));
        let last = last.transpose()?.flatten();
        let of_the_champion = |report: &ReportData| {
            report.champion.as_ref().map(|champion| &champion.version)
                == live.as_ref().map(|(card, _)| &card.version)
        };
        let reliability = last.filter(of_the_champion).map(|report| report.reliability).unwrap_or_default();
        let (champion, models) = match live {
            Some((card, since)) => {
                let champion = Champion {
                    version: card.version,
                    sha256: card.sha256,
                    since,
                    data_as_of: card.data_as_of,
                    git_commit: card.git_commit,
                    configurations_tried: card.configurations_tried,
                };
                (Some(champion), card.scores)
            }
            None => (None, Vec::new()),
        };
        decisions.reverse();
        let history = decisions.into_iter().map(promotion).collect();
        let page = ModelPage { site, champion, models, reliability, history };
        Ok(Ok(self.pages.model(&page)?))
    }
}

fn promotion(decision: night::Decision) -> Promotion {
    let made = match (decision.promoted, decision.why.starts_with("rolled back")) {
        (_, true) => Decision::RolledBack,
        (true, false) => Decision::Promoted,
        (false, false) => Decision::Refused,
    };
    Promotion {
        at: decision.as_of,
        version: decision.challenger,
        decision: made,
        gain: decision.difference.map(|difference| -difference),
        standard_error: None,
        reason: decision.why,
        run_id: None,
    }
}

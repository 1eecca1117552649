//! A day's slate and its games, from what the night left in the store.

use jiff::{ToSpan, civil::Date};
use market::GameId;
use report::pages::input::{GamePage, SlatePage};

use super::{Desk, Found, Missing};
use crate::{context::wall_clock, night, paths::Key};

impl Desk {
    pub(super) fn slate(&self, date: Option<Date>) -> Found {
        let dates = night::report_dates(&self.context)?;
        let site = night::site(&self.context, wall_clock());
        let today = site.now.to_zoned(self.context.time_zone()?).date();
        let date = date.or_else(|| dates.iter().max().copied()).unwrap_or(today);
        let report = self.read(&Key::ReportData(date))?;
        Ok(Ok(self.pages.slate(&SlatePage { site, date, report, dates })?))
    }

    pub(super) fn game(&self, id: &GameId) -> Found {
        let Some(mut page) = self.facts_of(id)? else {
            return Ok(Err(Missing {
                title: "No such game",
                detail: format!(
                    "No night has looked at {id}. The slate of its day names the games that there are."
                ),
                command: Some(format!("edge predict game {id}")),
            }));
        };
        page.site = night::site(&self.context, wall_clock());
        Ok(Ok(self.pages.game(&page)?))
    }

    /// Returns what the last night that looked at the game says of it.
    fn facts_of(&self, id: &GameId) -> anyhow::Result<Option<GamePage>> {
        if id.as_str().contains(['/', '\\']) {
            return Ok(None);
        }
        // An id holds the game's date where it is played; the night was on that day or before.
        let dates = id.as_str().split('_').filter_map(|part| part.parse::<Date>().ok());
        for date in dates.flat_map(|date| [1, 0, -1, -2].map(|days| date.saturating_add(days.days()))) {
            if let Some(page) = self.read(&Key::GameFacts(date, id.as_str()))? {
                return Ok(Some(page));
            }
        }
        Ok(None)
    }
}

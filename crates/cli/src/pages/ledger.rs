//! Money: what stands in the ledger.

use std::sync::Arc;

use ledger::{Entry, Event};
use report::{
    input::Mode,
    pages::input::{LedgerPage, OpenBet},
};

use super::{Desk, Found};
use crate::{context::wall_clock, night};

/// Settled bets on one page.
const PER_PAGE: usize = 50;

impl Desk {
    pub(super) fn ledger(&self, mode: Mode, page: usize) -> Found {
        let book = night::Book::open(&self.context)?;
        let ledger = book.ledger();
        let of = match mode {
            Mode::Live => ledger::Mode::Live,
            Mode::Paper => ledger::Mode::Paper,
        };
        let bankroll = ledger.bankroll(self.context.settings.bankroll, of);
        let ended =
            |entry: &&Entry| entry.mode == of && matches!(entry.event, Event::Settled | Event::Voided);
        let settled: Vec<&Entry> = ledger.entries().iter().rev().filter(ended).collect();
        let pages = settled.len().div_ceil(PER_PAGE).max(1);
        let page = page.clamp(1, pages);
        let mut open: Vec<OpenBet> =
            ledger.open_bets().into_iter().filter(|bet| bet.mode == of).filter_map(open_bet).collect();
        open.sort_by_key(|bet| bet.game.start_time);
        let facts = LedgerPage {
            site: night::site(&self.context, wall_clock()),
            mode,
            bankroll: bankroll.balance,
            drawdown: bankroll.drawdown,
            max_drawdown: bankroll.max_drawdown,
            curve: night::curve(ledger, of),
            record: night::record(ledger, of),
            open,
            settled: settled
                .iter()
                .skip((page - 1) * PER_PAGE)
                .take(PER_PAGE)
                .filter_map(|bet| night::settled_bet(bet))
                .collect(),
            settled_in_all: settled.len(),
            page,
            pages,
        };
        Ok(Ok(self.pages.ledger(&facts)?))
    }
}

fn open_bet(entry: &Entry) -> Option<OpenBet> {
    let terms = entry.terms.as_ref()?;
    Some(OpenBet {
        game: Arc::new(night::game_of(terms)),
        market: terms.market,
        selection: terms.selection,
        points: terms.points,
        book: terms.book.clone(),
        price: terms.price,
        stake: entry.stake,
        placed_at: entry.as_of,
        edge: terms.edge,
    })
}

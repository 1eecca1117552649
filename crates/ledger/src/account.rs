//! Balance, drawdown, curve and records of a ledger.
//!
//! # Example
//! ```
//! use ledger::{Ledger, Mode, RecordKey};
//! let ledger = Ledger::parse("").unwrap();
//! let bankroll = ledger.bankroll("1000.00".parse().unwrap(), Mode::Live);
//! assert_eq!((bankroll.balance.to_string().as_str(), bankroll.drawdown), ("1000.00", 0.0));
//! assert!(ledger.curve(Mode::Live).is_empty() && ledger.record_by(RecordKey::League, Mode::Live).is_empty());
//! ```

use std::collections::BTreeMap;

use lenses::{learning::PastBet, moat::PastClv};
use market::{Date, Grade, LeagueId, Money, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{Entry, Event, Ledger, Mode, Outcome, stakes::Purse};

/// Where the money stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bankroll {
    /// Balance; stakes of open bets are still in it.
    pub balance: Money,
    /// Stakes of open bets.
    pub open: Money,
    /// Bets that are open.
    pub open_bets: usize,
    /// What betting has won or lost in all.
    pub profit: Money,
    /// Fall from the peak as a negative share, money in and out left aside; 0 at the peak.
    pub drawdown: f64,
    /// The deepest such fall so far.
    pub max_drawdown: f64,
    /// Day of the latest event at the peak; none before the first.
    pub peak_on: Option<Date>,
}

/// Balance at the end of a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CurvePoint {
    /// The date.
    pub date: Date,
    /// The balance after its last event.
    pub balance: Money,
    /// Between which balances the claims of the bets settled until then would have let it lie, nineteen times of
    /// twenty; none before a bet with a claim was settled.
    pub expected: Option<(Money, Money)>,
}

/// What records are grouped by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordKey {
    /// League.
    League,
    /// Market.
    Market,
    /// Bookmaker.
    Book,
    /// Month in which the bet was placed.
    Month,
}

impl RecordKey {
    /// Returns the group of a bet as placed; none of money in or out.
    pub fn of(self, placed: &Entry) -> Option<String> {
        let terms = placed.terms.as_ref()?;
        Some(match self {
            Self::League => terms.league.to_string(),
            Self::Market => terms.market.to_string(),
            Self::Book => terms.book.to_string(),
            Self::Month => format!("{:04}-{:02}", placed.date.year(), placed.date.month()),
        })
    }
}

/// How a group of bets did; open bets do not count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Bets that ended, void ones included.
    pub bets: usize,
    /// Won in whole or by half.
    pub won: usize,
    /// Lost in whole or by half.
    pub lost: usize,
    /// Stake returned by the score, or shared in a dead heat.
    pub pushed: usize,
    /// Void.
    pub void: usize,
    /// Stakes of the bets that were not void.
    pub staked: Money,
    /// What they won or lost.
    pub profit: Money,
    /// Bets with a comparable close.
    pub with_close: usize,
    /// Mean expected value at the close, over those.
    pub mean_ev_clv: Option<f64>,
    /// Graded bets, and the sums of their squared stakes, stakes times profits, and squared profits.
    graded: usize,
    squares: [f64; 3],
    /// Sum of squared expected values at the close.
    clv_squares: f64,
}

/// Fewer graded bets than this have no interval: the normal approximation would be a pretence.
const FEWEST_FOR_INTERVAL: usize = 30;

impl Record {
    /// Returns profit over stakes; none before anything was staked.
    pub fn roi(&self) -> Option<f64> {
        (self.staked > Money::ZERO).then(|| self.profit.as_f64() / self.staked.as_f64())
    }

    /// Returns the 95 % interval of [`roi`](Self::roi), each bet drawn on its own; none with fewer than 30 graded bets.
    ///
    /// Normal approximation of a ratio of sums: `roi ± 1.96 √(Σ (profit − roi · stake)²) / Σ stake`.
    pub fn roi_interval_95(&self) -> Option<(f64, f64)> {
        let roi = self.roi().filter(|_| self.graded >= FEWEST_FOR_INTERVAL)?;
        let [stakes, products, profits] = self.squares;
        let residuals = (profits - 2.0 * roi * products + roi * roi * stakes).max(0.0);
        let half = 1.96 * residuals.sqrt() / self.staked.as_f64();
        Some((roi - half, roi + half))
    }

    /// Returns the 95 % interval of the mean expected value at the close; none with fewer than 30 bets that have one.
    pub fn ev_clv_interval_95(&self) -> Option<(f64, f64)> {
        let (mean, count) = (self.mean_ev_clv?, self.with_close as f64);
        let variance = (self.clv_squares / count - mean * mean).max(0.0) * count / (count - 1.0);
        let half = 1.96 * (variance / count).sqrt();
        (self.with_close >= FEWEST_FOR_INTERVAL).then_some((mean - half, mean + half))
    }

    /// Sums up bets that ended.
    pub fn of<'a>(ended: impl IntoIterator<Item = &'a Entry>) -> Self {
        let mut record = Self::default();
        for entry in ended {
            record.add(entry);
        }
        record
    }

    fn add(&mut self, ended: &Entry) {
        let Some(ending) = &ended.ending else { return };
        self.bets += 1;
        match ending.outcome {
            Outcome::Graded(Grade::Win | Grade::HalfWin) => self.won += 1,
            Outcome::Graded(Grade::Loss | Grade::HalfLoss) => self.lost += 1,
            Outcome::Graded(Grade::Push) | Outcome::DeadHeat => self.pushed += 1,
            Outcome::Void(_) => {
                self.void += 1;
                return;
            }
        }
        self.staked = self.staked + ended.stake;
        self.profit = self.profit + ended.pnl;
        let (stake, profit) = (ended.stake.as_f64(), ended.pnl.as_f64());
        self.graded += 1;
        for (sum, product) in self.squares.iter_mut().zip([stake * stake, stake * profit, profit * profit]) {
            *sum += product;
        }
        if let Some(clv) = ending.clv {
            let value = clv.expected_value;
            let before = self.mean_ev_clv.unwrap_or(0.0) * self.with_close as f64;
            self.with_close += 1;
            self.clv_squares += value * value;
            self.mean_ev_clv = Some((before + value) / self.with_close as f64);
        }
    }
}

impl Ledger {
    /// Returns where the money of `mode` stands; `starting` counts until its first event, then the file does.
    pub fn bankroll(&self, starting: Money, mode: Mode) -> Bankroll {
        let (mut index, mut peak, mut deepest) = (1.0_f64, 1.0_f64, 0.0_f64);
        let (mut profit, mut peak_on) = (Money::ZERO, None);
        for entry in self.entries().iter().filter(|entry| entry.mode == mode) {
            let before = (entry.balance - entry.effect()).as_f64();
            if before > 0.0 && !matches!(entry.event, Event::Deposit | Event::Withdrawal) {
                // Money that was taken out since may leave less than was staked.
                index *= (1.0 + entry.pnl.as_f64() / before.max(entry.stake.as_f64())).max(0.0);
            }
            profit = profit + entry.pnl;
            if index >= peak {
                (peak, peak_on) = (index, Some(entry.date));
            }
            deepest = deepest.min(index / peak - 1.0);
        }
        let open: Vec<&Entry> = self.open_bets().into_iter().filter(|bet| bet.mode == mode).collect();
        Bankroll {
            balance: self.balance(mode).unwrap_or(starting),
            open: open.iter().map(|bet| bet.stake).sum(),
            open_bets: open.len(),
            profit,
            drawdown: index / peak - 1.0,
            max_drawdown: deepest,
            peak_on,
        }
    }

    /// Returns what there is to stake from tonight.
    pub fn purse(&self, starting: Money, mode: Mode) -> Purse {
        let bankroll = self.bankroll(starting, mode);
        let mut purse =
            Purse { open: bankroll.open, drawdown: bankroll.drawdown, ..Purse::new(bankroll.balance) };
        for bet in self.open_bets().into_iter().filter(|bet| bet.mode == mode) {
            if let Some(terms) = &bet.terms {
                purse.open_games.insert(terms.game_id.clone());
                let of_league = purse.open_leagues.entry(terms.league.clone()).or_insert(Money::ZERO);
                *of_league = *of_league + bet.stake;
            }
        }
        purse
    }

    /// Returns the balance at the end of each date with an event, by date.
    pub fn curve(&self, mode: Mode) -> Vec<CurvePoint> {
        let entries = self.entries().iter().filter(|entry| entry.mode == mode);
        let last: BTreeMap<Date, Money> = entries.map(|entry| (entry.date, entry.balance)).collect();
        let claims = self.unlucky_by_date(mode);
        let mut unseen = claims.iter().peekable();
        let (mut luck, mut variance, mut claimed) = (0.0, 0.0_f64, false);
        let point = |(date, balance): (Date, Money)| {
            while let Some((_, (more, spread))) = unseen.next_if(|(of, _)| **of <= date) {
                (luck, variance, claimed) = (luck + more, variance + spread, true);
            }
            let half = 1.96 * variance.sqrt();
            let at = |amount: f64| balance + Money::from_f64(amount);
            CurvePoint { date, balance, expected: claimed.then(|| (at(luck - half), at(luck + half))) }
        };
        last.into_iter().map(point).collect()
    }

    /// Returns how the bets that ended did, by group.
    pub fn record_by(&self, key: RecordKey, mode: Mode) -> BTreeMap<String, Record> {
        let mut records: BTreeMap<String, Record> = BTreeMap::new();
        for (placed, ended) in self.bets().filter(|(placed, _)| placed.mode == mode) {
            if let (Some(ended), Some(group)) = (ended, key.of(placed)) {
                records.entry(group).or_default().add(ended);
            }
        }
        records
    }

    /// Returns how all bets that ended did.
    pub fn record(&self, mode: Mode) -> Record {
        Record::of(self.bets().filter(|(placed, _)| placed.mode == mode).filter_map(|(_, ended)| ended))
    }

    /// Returns what each bet was expected to add to the growth of its slate, in the order placed.
    pub fn growth_added(&self) -> Vec<f64> {
        self.bets().filter_map(|(placed, _)| placed.terms.as_ref()?.growth_added).collect()
    }

    /// Returns the bets, of either mode, that lenses scored and whose close was known before `as_of`: what their weights
    /// are learnt from.
    pub fn bets_with_close(&self, as_of: Timestamp) -> Vec<PastBet> {
        let one = |(placed, ended): (&Entry, Option<&Entry>)| {
            let (terms, ended) = (placed.terms.as_ref()?, ended?);
            let ev_clv = ended.ending.as_ref()?.clv?.expected_value;
            let scored = terms.lenses.iter().any(Option::is_some)
                && ended.event != Event::Voided
                && ended.as_of <= as_of;
            let week = placed.as_of.as_second().div_euclid(7 * 86_400);
            let game = terms.game_id.to_string();
            scored.then_some(PastBet { game, week, lenses: terms.lenses, ev_clv })
        };
        self.bets().filter_map(one).collect()
    }

    /// Returns the bets of a league, of either mode, whose close was known before `as_of`: what the moat lens asks.
    pub fn past_clv(&self, league: &LeagueId, as_of: Timestamp) -> Vec<PastClv> {
        let one = |(placed, ended): (&Entry, Option<&Entry>)| {
            let (terms, ended) = (placed.terms.as_ref()?, ended?);
            let clv = ended.ending.as_ref()?.clv?;
            let ours = terms.score.is_some() && ended.event != Event::Voided;
            let known = ours && terms.league == *league && ended.as_of <= as_of;
            known.then(|| PastClv {
                game_id: terms.game_id.clone(),
                age_days: as_of.duration_since(placed.as_of).as_secs_f64() / 86_400.0,
                logit_clv: clv.logit,
            })
        };
        self.bets().filter_map(one).collect()
    }
}

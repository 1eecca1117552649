//! The rule that a bet is settled by: its id says all of it, and is stored on the bet.
//!
//! # Example
//! ```
//! use ledger::{Outcome, SettlementRule, rule::HouseRules};
//! use market::{Market, Selection, settlement::Tie};
//! let house = HouseRules { tie: Tie::DeadHeat, ..HouseRules::default() };
//! let rule = house.rule(Market::Moneyline, false);
//! assert_eq!(rule.to_string(), "moneyline;tie=dead_heat;overtime=counts;moved=24h");
//! assert_eq!(SettlementRule::parse(&rule.to_string()), Some(rule));
//! assert_eq!(rule.outcome(Selection::Home, None, 17, 17), Some(Outcome::DeadHeat));
//! ```

use std::fmt;

use jiff::SignedDuration;
use market::{
    Market, Money, Points, Price, Selection,
    settlement::{self, Tie},
};
use serde::{Deserialize, Serialize};

use crate::Outcome;

/// What the bookmakers of a league say beyond the score; they differ, so that a league's settings name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HouseRules {
    /// What a drawn game is on a moneyline without a draw.
    pub tie: Tie,
    /// Whether the score that counts includes extra time.
    pub overtime: Overtime,
    /// A postponed game that is played within so many hours of its first start still counts.
    pub moved_within_hours: u16,
    /// Decimals of the currency, to which winnings are rounded; it follows from the currency and is no setting.
    #[serde(skip, default = "two")]
    pub decimals: u8,
}

fn two() -> u8 {
    2
}

/// Whether extra time counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Overtime {
    /// The score at the very end.
    #[default]
    Counts,
    /// The score after regular time.
    Excluded,
}

impl Default for HouseRules {
    fn default() -> Self {
        Self { tie: Tie::Push, overtime: Overtime::Counts, moved_within_hours: 24, decimals: two() }
    }
}

impl HouseRules {
    /// Returns the rule of a market; `three_way` says whether the league's moneyline has a draw.
    pub fn rule(self, market: Market, three_way: bool) -> SettlementRule {
        let tie = if three_way { Tie::Offered } else { self.tie };
        SettlementRule {
            market,
            house: Self { tie: if market == Market::Moneyline { tie } else { Tie::Push }, ..self },
        }
    }
}

/// The rule that a bet is settled by.
///
/// Cancelled and abandoned games void the bet, and so does a postponed one that is not played in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SettlementRule {
    market: Market,
    house: HouseRules,
}

/// Rules as ledgers of the first version named them.
const FORMER: [(&str, Market, bool); 4] = [
    ("moneyline-tie-push-1", Market::Moneyline, false),
    ("moneyline-three-way-1", Market::Moneyline, true),
    ("spread-1", Market::Spread, false),
    ("total-1", Market::Total, false),
];

impl SettlementRule {
    /// Returns the usual rule of a market; `three_way` says whether the league's moneyline has a draw.
    pub fn of(market: Market, three_way: bool) -> Self {
        HouseRules::default().rule(market, three_way)
    }

    /// Returns how far a game may be moved and still count.
    pub fn moved_within(self) -> SignedDuration {
        SignedDuration::from_hours(self.house.moved_within_hours.into())
    }

    /// Returns what a bet wins (or loses, negative), in the currency's coins; half a coin goes away from zero.
    pub fn profit(self, stake: Money, price: Price, outcome: Outcome) -> Money {
        stake.scale(outcome.net(price)).round_to(self.house.decimals.into())
    }

    /// Reads an id.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some((_, market, three_way)) = FORMER.iter().find(|(id, ..)| *id == text) {
            return Some(Self::of(*market, *three_way));
        }
        let mut parts = text.split(';');
        let market = Market::parse(parts.next()?)?;
        let mut part = |name: &str| parts.next()?.strip_prefix(name)?.strip_prefix('=');
        let tie = if market == Market::Moneyline { Tie::parse(part("tie")?)? } else { Tie::Push };
        let overtime = match part("overtime")? {
            "counts" => Overtime::Counts,
            "excluded" => Overtime::Excluded,
            _ => return None,
        };
        let moved_within_hours = part("moved")?.strip_suffix('h')?.parse().ok()?;
        let decimals = part("decimals").map_or(Some(two()), |decimals| decimals.parse().ok())?;
        let rule = Self { market, house: HouseRules { tie, overtime, moved_within_hours, decimals } };
        (rule.to_string() == text).then_some(rule)
    }

    /// Says how a selection ends on a final score; none when it or its points do not fit the market.
    pub fn outcome(
        self,
        selection: Selection,
        points: Option<Points>,
        home: u16,
        away: u16,
    ) -> Option<Outcome> {
        let (home, away) = (i32::from(home), i32::from(away));
        let of_total = matches!(selection, Selection::Over | Selection::Under);
        match self.market {
            Market::Moneyline if points.is_none() && !of_total => self.moneyline(selection, home - away),
            Market::Spread if points.is_some() && !of_total && selection != Selection::Draw => {
                settlement::grade(selection, points, home, away).map(Outcome::Graded)
            }
            Market::Total if of_total => {
                settlement::grade(selection, points, home, away).map(Outcome::Graded)
            }
            _ => None,
        }
    }

    fn moneyline(self, selection: Selection, margin: i32) -> Option<Outcome> {
        let graded = |points| settlement::grade_of(selection, points, margin, 0).map(Outcome::Graded);
        match self.house.tie {
            Tie::Offered => graded(None),
            _ if selection == Selection::Draw => None,
            Tie::DeadHeat if margin == 0 => Some(Outcome::DeadHeat),
            Tie::Loses => graded(None),
            Tie::Push | Tie::DeadHeat => graded(Some(Points::from_quarters(0))),
        }
    }
}

impl fmt::Display for SettlementRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let HouseRules { tie, overtime, moved_within_hours, decimals } = self.house;
        let overtime = match overtime {
            Overtime::Counts => "counts",
            Overtime::Excluded => "excluded",
        };
        let tie = if self.market == Market::Moneyline { format!(";tie={tie}") } else { String::new() };
        let decimals = if decimals == two() { String::new() } else { format!(";decimals={decimals}") };
        write!(f, "{}{tie};overtime={overtime};moved={moved_within_hours}h{decimals}", self.market)
    }
}

impl From<SettlementRule> for String {
    fn from(rule: SettlementRule) -> Self {
        rule.to_string()
    }
}

impl TryFrom<String> for SettlementRule {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or_else(|| format!("`{text}` is no settlement rule"))
    }
}

#[cfg(test)]
mod tests {
    use market::Grade;

    use super::*;

    #[test]
    fn every_rule_reads_back() {
        for market in [Market::Moneyline, Market::Spread, Market::Total] {
            for tie in Tie::ALL {
                for overtime in [Overtime::Counts, Overtime::Excluded] {
                    for (decimals, three_way) in [(2, false), (2, true), (0, false)] {
                        let house = HouseRules { tie, overtime, moved_within_hours: 48, decimals };
                        let rule = house.rule(market, three_way);
                        assert_eq!(SettlementRule::parse(&rule.to_string()), Some(rule), "{rule}");
                    }
                }
            }
        }
        for bad in [
            "spread-0",
            "spread",
            "spread;tie=push;overtime=counts;moved=24h",
            "total;overtime=counts;moved=24h;x",
        ] {
            assert_eq!(SettlementRule::parse(bad), None, "{bad}");
        }
        assert_eq!(SettlementRule::parse("spread-1"), Some(SettlementRule::of(Market::Spread, false)));
    }

    #[test]
    fn points_that_do_not_fit_end_nothing() {
        let half = Points::from_f64(2.5);
        let on = |market, three_way, selection, points| {
            SettlementRule::of(market, three_way).outcome(selection, points, 1, 0)
        };
        assert_eq!(on(Market::Spread, false, Selection::Home, None), None);
        assert_eq!(on(Market::Spread, false, Selection::Over, half), None);
        assert_eq!(on(Market::Total, false, Selection::Home, half), None);
        assert_eq!(on(Market::Moneyline, true, Selection::Home, half), None);
        assert_eq!(on(Market::Moneyline, false, Selection::Draw, None), None);
    }

    #[test]
    fn a_drawn_game_depends_on_the_rule() {
        let on = |tie, selection| {
            let house = HouseRules { tie, ..HouseRules::default() };
            house.rule(Market::Moneyline, tie == Tie::Offered).outcome(selection, None, 1, 1)
        };
        assert_eq!(on(Tie::Offered, Selection::Home), Some(Outcome::Graded(Grade::Loss)));
        assert_eq!(on(Tie::Offered, Selection::Draw), Some(Outcome::Graded(Grade::Win)));
        assert_eq!(on(Tie::Push, Selection::Away), Some(Outcome::Graded(Grade::Push)));
        assert_eq!(on(Tie::Loses, Selection::Away), Some(Outcome::Graded(Grade::Loss)));
        assert_eq!(on(Tie::DeadHeat, Selection::Away), Some(Outcome::DeadHeat));
    }

    #[test]
    fn a_currency_without_cents_pays_whole_coins() {
        let yen = HouseRules { decimals: 0, ..HouseRules::default() }.rule(Market::Total, false);
        let price = Price::new(1.955).unwrap();
        assert_eq!(
            yen.profit("1000".parse().unwrap(), price, Outcome::Graded(Grade::HalfWin)).to_string(),
            "478.00"
        );
        let euro = SettlementRule::of(Market::Total, false);
        assert_eq!(
            euro.profit("1000".parse().unwrap(), price, Outcome::Graded(Grade::HalfWin)).to_string(),
            "477.50"
        );
    }

    #[test]
    fn the_worst_that_can_happen_is_losing_the_stake() {
        let (rule, stake) = (SettlementRule::of(Market::Moneyline, false), "13.37".parse().unwrap());
        for outcome in Grade::ALL.map(Outcome::Graded).into_iter().chain([Outcome::DeadHeat]) {
            assert!(rule.profit(stake, Price::new(1.0001).unwrap(), outcome) >= -stake);
        }
    }

    #[test]
    fn a_dead_heat_pays_half_the_stake_at_full_odds() {
        let rule = SettlementRule::of(Market::Moneyline, false);
        let profit =
            |odds| rule.profit("10.00".parse().unwrap(), Price::new(odds).unwrap(), Outcome::DeadHeat);
        assert_eq!(profit(2.0), Money::ZERO);
        assert_eq!(profit(5.0).to_string(), "15.00");
        assert_eq!(profit(1.5).to_string(), "-2.50");
    }
}

//! Laws of money and of stakes, on random slates and histories.

use std::collections::BTreeMap;

use ledger::{
    Entry, Joints, Ledger, Mode, Proposal, StakeSettings,
    simultaneous::{Group, allocate, growth},
    stakes::{BookLimits, Purse, growth_added, size},
};
use market::{
    Distribution, GameId, GameStatus, Grade, GradeProbabilities, Joint, LeagueId, Money, Points, Price,
    ResultRow, ScoreForecast, Selection,
};
use proptest::prelude::*;

use crate::book::{night, placed, result};

const STARTING: &str = "1000.00";

fn money(text: &str) -> Money {
    text.parse().unwrap()
}

fn any_selection() -> impl Strategy<Value = (Selection, Option<f64>)> {
    let quarter = (-12..=12_i32).prop_map(|quarters| f64::from(quarters) / 4.0);
    prop_oneof![
        Just((Selection::Home, None)),
        Just((Selection::Away, None)),
        quarter.clone().prop_map(|points| (Selection::Home, Some(points))),
        quarter.clone().prop_map(|points| (Selection::Away, Some(points))),
        quarter.clone().prop_map(|points| (Selection::Over, Some(points.abs()))),
        quarter.prop_map(|points| (Selection::Under, Some(points.abs()))),
    ]
}

fn any_bets() -> impl Strategy<Value = Vec<Entry>> {
    let bet = (any_selection(), 1.01..20.0_f64, 1..5000_u32);
    prop::collection::vec(bet, 1..6).prop_map(|bets| {
        let entry = |(number, ((selection, points), price, cents)): (usize, (_, f64, u32))| {
            placed(number, selection, points, price, &format!("{}.{:02}", cents / 100, cents % 100))
        };
        bets.into_iter().enumerate().map(entry).collect()
    })
}

fn any_results() -> impl Strategy<Value = Vec<ResultRow>> {
    let row = (0..6_usize, 0..6_u16, 0..6_u16, 0..5_u8, 0..72_i64);
    prop::collection::vec(row, 0..12).prop_map(|rows| {
        let one = |(number, home, away, status, hours)| {
            let mut row: ResultRow = result(number, home, away);
            row.known_at += jiff::SignedDuration::from_hours(hours);
            match status {
                0 => ResultRow { status: GameStatus::Abandoned, home_score: 0, away_score: 0, ..row },
                1 => ResultRow { status: GameStatus::Postponed, home_score: 0, away_score: 0, ..row },
                _ => row,
            }
        };
        rows.into_iter().map(one).collect()
    })
}

fn history(bets: &[Entry], results: &[ResultRow]) -> Ledger {
    let mut ledger = Ledger::default();
    ledger.append(bets.to_vec(), money(STARTING)).unwrap();
    for day in [12, 13, 15] {
        let entries = ledger.settle(results, |_| None, &night(day));
        ledger.append(entries, money(STARTING)).unwrap();
    }
    ledger
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_money_appears_or_is_lost(bets in any_bets(), results in any_results()) {
        let ledger = history(&bets, &results);
        let pnl: Money = ledger.entries().iter().map(|entry| entry.pnl).sum();
        prop_assert_eq!(ledger.bankroll(money(STARTING), Mode::Live).balance, money(STARTING) + pnl);
        prop_assert!(ledger.verify().is_ok());
        let ended: Money = ledger.bets().filter_map(|(_, ended)| ended).map(|ended| ended.pnl).sum();
        prop_assert_eq!(pnl, ended, "what was taken back has left no trace");
    }

    #[test]
    fn no_bet_loses_more_than_its_stake_and_a_void_loses_nothing(bets in any_bets(), results in any_results()) {
        for (placed, ended) in history(&bets, &results).bets() {
            let Some(ended) = ended else { continue };
            prop_assert!(ended.pnl >= -placed.stake);
            if ended.event == ledger::Event::Voided {
                prop_assert_eq!(ended.pnl, Money::ZERO);
            }
        }
    }

    #[test]
    fn any_events_applied_twice_are_applied_once(bets in any_bets(), results in any_results()) {
        let once = history(&bets, &results);
        let mut twice = once.clone();
        prop_assert_eq!(twice.append(once.entries().to_vec(), money("5.00")).unwrap(), "");
        prop_assert_eq!(&twice, &once);
        for day in [12, 13, 15] {
            prop_assert!(twice.settle(&results, |_| None, &night(day)).is_empty(), "settled twice on day {}", day);
        }
    }

    #[test]
    fn what_is_written_is_what_is_read(bets in any_bets(), results in any_results(), cut in 0..9_usize) {
        let ledger = history(&bets, &results);
        let again = Ledger::parse(&ledger.text()).unwrap();
        prop_assert_eq!(&again, &ledger);
        // A night that was cut off between two events is completed by running it again.
        let kept = ledger.entries().len().min(cut);
        let mut resumed = Ledger::default();
        resumed.append(ledger.entries()[..kept].to_vec(), money(STARTING)).unwrap();
        resumed.append(ledger.entries().to_vec(), money(STARTING)).unwrap();
        prop_assert_eq!(resumed.text(), ledger.text());
    }
}

/// A believable game: margin and total as if both sides scored by chance.
fn any_joint() -> impl Strategy<Value = Joint> {
    (0.3..3.0_f64, 0.3..3.0_f64).prop_map(|(home, away)| {
        let poisson = |rate: f64, k: i32| (1..=k).fold((-rate).exp(), |p, i| p * rate / f64::from(i));
        let (mut margin, mut total) = (vec![0.0; 21], vec![0.0; 21]);
        for (h, a) in (0..=10_i32).flat_map(|h| (0..=10_i32).map(move |a| (h, a))) {
            let p = poisson(home, h) * poisson(away, a);
            margin[usize::try_from(h - a + 10).unwrap()] += p;
            total[usize::try_from(h + a).unwrap()] += p;
        }
        let whole: f64 = margin.iter().sum();
        let of = |first, masses: Vec<f64>| {
            Distribution::new(first, masses.into_iter().map(|p| p / whole).collect()).unwrap()
        };
        Joint::of(&ScoreForecast { margin: of(-10, margin), total: of(0, total) })
    })
}

/// Game, league, side and points, masses of the grades, price, score.
type Drawn = (u8, u8, (Selection, Option<f64>), [f64; 5], f64, Option<f64>);

fn any_proposals() -> impl Strategy<Value = Vec<Proposal>> {
    let one = (
        0..5_u8,
        0..3_u8,
        any_selection(),
        prop::array::uniform5(0.01..1.0_f64),
        1.05..8.0_f64,
        prop::option::of(0.0..1.0_f64),
    );
    let proposal = |(game, league, (selection, points), masses, odds, score): Drawn| {
        let points = points.and_then(Points::from_f64);
        // Masses only where this bet can end.
        let can = |grade: Grade| {
            (-10..=10).any(|value: i32| {
                market::settlement::grade_of(selection, points, value, value.abs() + 3) == Some(grade)
                    || market::settlement::grade_of(selection, points, value, value.abs()) == Some(grade)
            })
        };
        let masses: Vec<f64> = Grade::ALL
            .into_iter()
            .zip(masses)
            .map(|(grade, mass)| if can(grade) { mass } else { 0.0 })
            .collect();
        let sum: f64 = masses.iter().sum();
        let mut grades = [0.0; 5];
        grades.iter_mut().zip(masses).for_each(|(slot, mass)| *slot = mass / sum);
        Proposal {
            game_id: GameId::from_text(&format!("game-{game}")),
            league: LeagueId::new(&format!("league-{league}")).unwrap(),
            book: "north".into(),
            selection,
            points,
            grades: GradeProbabilities(grades),
            price: Price::new(odds).unwrap(),
            score,
        }
    };
    prop::collection::vec(one.prop_map(proposal), 0..10)
}

fn any_joints() -> impl Strategy<Value = Joints> {
    let one = prop::option::of(any_joint());
    prop::collection::vec(one, 5).prop_map(|joints| {
        let named = joints.into_iter().enumerate();
        named.filter_map(|(game, joint)| Some((GameId::from_text(&format!("game-{game}")), joint?))).collect()
    })
}

fn any_purse() -> impl Strategy<Value = Purse> {
    (0..10_000_000_u32, 0.0..0.2_f64, -0.4..=0.0_f64).prop_map(|(cents, open, drawdown)| {
        let balance = money(&format!("{}.{:02}", cents / 100, cents % 100));
        Purse { open: balance.fraction_floor(open), drawdown, ..Purse::new(balance) }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn stakes_never_pass_a_limit_and_never_cost_growth(
        proposals in any_proposals(), joints in any_joints(), purse in any_purse(),
    ) {
        let north = BookLimits { max_stake: Some(money("400.00")), min_stake: Some(money("1.00")), step: Some(money("0.50")) };
        let settings = StakeSettings {
            max_game: Some(0.015),
            max_league: Some(0.025),
            bets_per_game: 3,
            books: [("north".to_owned(), north)].into(),
            ..StakeSettings::default()
        };
        let stakes = size(&proposals, &joints, &settings, &purse);
        let total: Money = stakes.iter().map(|stake| stake.amount).sum();
        // In money, to the cent: shares are rounded fractions.
        prop_assert!(total <= (purse.balance.fraction_floor(settings.max_day) - purse.open).max(Money::ZERO));
        let mut games: BTreeMap<&GameId, (usize, Money)> = BTreeMap::new();
        let mut leagues: BTreeMap<&LeagueId, Money> = BTreeMap::new();
        for (stake, proposal) in stakes.iter().zip(&proposals) {
            prop_assert!(stake.amount >= Money::ZERO && stake.fraction <= stake.full_kelly * 0.25 + 1e-12);
            if stake.amount > Money::ZERO {
                let game = games.entry(&proposal.game_id).or_default();
                *game = (game.0 + 1, game.1 + stake.amount);
                let league = leagues.entry(&proposal.league).or_default();
                *league = *league + stake.amount;
                prop_assert!(proposal.grades.expected_net(proposal.price) > settings.hurdle);
                prop_assert!(proposal.score >= Some(settings.min_score) && purse.drawdown > -0.25);
                prop_assert!(stake.amount >= money("1.00") && stake.amount <= money("400.00"));
                prop_assert_eq!(stake.amount.floor_to(money("0.50")), stake.amount);
            } else {
                prop_assert!(!stake.cuts.is_empty(), "a refusal without a reason");
            }
        }
        for (bets, staked) in games.values() {
            prop_assert!(*bets <= 3 && *staked <= purse.balance.fraction_floor(0.015));
        }
        for staked in leagues.values() {
            prop_assert!(*staked <= purse.balance.fraction_floor(0.025));
        }
        let grows = ledger::stakes::growth(&proposals, &joints, &stakes, &purse);
        prop_assert!(grows >= 0.0 && (total == Money::ZERO) == (grows == 0.0), "{}", grows);
    }

    #[test]
    fn a_solution_cannot_be_bettered_nearby(
        proposals in any_proposals(), cap in prop::option::of(0.05..0.9_f64), which in 0..8_usize, shift in -0.01..0.01_f64,
    ) {
        let bets: Vec<Group> = proposals.iter().map(|p| Group::single(&p.grades, p.price)).collect();
        let solution = allocate(&bets, cap);
        prop_assert!(solution.fractions.iter().all(|f| *f >= 0.0));
        prop_assert!(solution.fractions.iter().sum::<f64>() <= cap.unwrap_or(0.99) + 1e-9);
        prop_assert!(solution.growth >= -1e-12, "staking nothing is always possible");
        if which < bets.len() {
            let mut nearby = solution.fractions.clone();
            nearby[which] = (nearby[which] + shift).max(0.0);
            if nearby.iter().sum::<f64>() <= cap.unwrap_or(0.99) {
                // The solver stops when its steps are below the rounding of the growth.
                prop_assert!(growth(&bets, &nearby) <= solution.growth + 1e-9);
            }
        }
    }

}

proptest! {
    // Two solutions of a slate per bet: few cases.
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn a_bet_without_value_adds_no_growth(proposals in any_proposals()) {
        let added = growth_added(&proposals, &StakeSettings::default(), &Purse::new(money(STARTING)));
        for (added, proposal) in added.iter().zip(&proposals) {
            if proposal.grades.expected_net(proposal.price) <= 0.01 {
                prop_assert!(added.abs() < 1e-12);
            }
        }
    }
}

//! The ledger as a file: what is written, what is refused, what is corrected.

use std::fmt::Write as _;

use ledger::{ClosingLine, Entry, Event, Ledger, LedgerError, Mode, RecordKey};
use market::{GameStatus, Money, Price, ResultRow, Selection};

use crate::book::{night, placed, result};

fn money(text: &str) -> Money {
    text.parse().unwrap()
}

fn with(bets: Vec<Entry>) -> Ledger {
    let mut ledger = Ledger::default();
    ledger.append(bets, money("1000.00")).unwrap();
    ledger
}

fn four_bets() -> Vec<Entry> {
    vec![
        placed(1, Selection::Home, Some(-0.75), 1.95, "20.00"),
        placed(2, Selection::Away, None, 2.10, "12.34"),
        placed(3, Selection::Over, Some(2.25), 1.90, "7.77"),
        placed(4, Selection::Home, None, 1.80, "9.99"),
    ]
}

fn close(bet: &Entry) -> Option<ClosingLine> {
    let terms = bet.terms.as_ref()?;
    Some(ClosingLine {
        price: Price::new(1.87).unwrap(),
        points: terms.points,
        probability: 0.520_512_820_513,
    })
}

fn settle(ledger: &mut Ledger, results: &[ResultRow], day: u32) -> usize {
    let entries = ledger.settle(results, close, &night(day));
    let count = entries.len();
    ledger.append(entries, money("1000.00")).unwrap();
    count
}

#[test]
fn the_file_reads_as_a_person_expects() {
    let mut ledger = with(four_bets());
    settle(&mut ledger, &[result(1, 2, 1), result(2, 0, 3), result(3, 1, 1)], 12);
    insta::assert_snapshot!(ledger.text());
}

#[test]
fn the_interval_of_the_roi_is_wide_and_needs_thirty_bets() {
    let record = |count: usize| {
        let mut ledger = with((1..=count).map(|n| placed(n, Selection::Home, None, 1.80, "10.00")).collect());
        let results: Vec<ResultRow> =
            (1..=count).map(|n| if n % 2 == 0 { result(n, 2, 1) } else { result(n, 1, 2) }).collect();
        settle(&mut ledger, &results, 12);
        ledger.record(Mode::Live)
    };
    assert_eq!(record(29).roi_interval_95(), None);
    // 20 win 8.00, 20 lose 10.00: roi -0.1; every bet lies 9.00 from it, so 1.96 * sqrt(40 * 81) / 400.
    let (low, high) = record(40).roi_interval_95().unwrap();
    let half = 1.96 * (40.0_f64 * 81.0).sqrt() / 400.0;
    assert!((low + 0.1 + half).abs() < 1e-9 && (high + 0.1 - half).abs() < 1e-9, "{low} {high}");
}

#[test]
fn balances_and_records_follow_from_the_endings() {
    let mut ledger = with(four_bets());
    let postponed = ResultRow { status: GameStatus::Postponed, ..result(4, 0, 0) };
    settle(&mut ledger, &[result(1, 2, 1), result(2, 0, 3), result(3, 1, 1), postponed.clone()], 12);
    assert_eq!(ledger.open_bets().len(), 1, "a postponed game may still be played within a day");
    settle(&mut ledger, &[postponed], 13);
    // Half of 20 at 1.95, 12.34 at 2.10, half of 7.77 lost (half a cent away from zero), nothing for the void.
    let bankroll = ledger.bankroll(money("1000.00"), Mode::Live);
    assert_eq!(bankroll.balance, money("1000.00") + money("9.50") + money("13.57") - money("3.89"));
    assert_eq!(bankroll.open_bets, 0);
    let record = ledger.record_by(RecordKey::League, Mode::Live)["demo"];
    assert_eq!((record.bets, record.won, record.lost, record.void), (4, 2, 1, 1));
    assert_eq!(record.staked, money("40.11"));
    assert_eq!(record.with_close, 3);
    assert_eq!(ledger.curve(Mode::Live).len(), 3);
    assert_eq!(
        ledger.past_clv(&"demo".to_owned().try_into().unwrap(), night(13).as_of).len(),
        3,
        "a void bet says nothing of its price"
    );
    assert_eq!(ledger.verify().unwrap().open, 0);
}

#[test]
fn a_result_is_hidden_at_its_own_moment() {
    let ledger = with(four_bets());
    let late = ResultRow { known_at: night(12).as_of, ..result(1, 2, 1) };
    assert!(ledger.settle(&[late], close, &night(12)).is_empty());
}

#[test]
fn a_corrected_result_takes_the_ending_back_and_makes_a_new_one() {
    let mut ledger = with(four_bets());
    settle(&mut ledger, &[result(2, 0, 3)], 12);
    let corrected = ResultRow { known_at: "2021-11-12T12:00:00Z".parse().unwrap(), ..result(2, 3, 0) };
    assert_eq!(settle(&mut ledger, &[result(2, 0, 3), corrected.clone()], 13), 2);
    let events: Vec<Event> = ledger.entries()[4..].iter().map(|entry| entry.event).collect();
    assert_eq!(events, [Event::Settled, Event::Corrected, Event::Settled]);
    assert_eq!(ledger.bankroll(money("0.00"), Mode::Live).balance, money("1000.00") - money("12.34"));
    assert_eq!(
        settle(&mut ledger, &[result(2, 0, 3), corrected.clone()], 14),
        0,
        "settled once, settled for good"
    );
    assert_eq!(settle(&mut ledger, &[result(2, 0, 3)], 12), 0, "an earlier night run again changes nothing");
    let back = ResultRow { known_at: "2021-11-13T12:00:00Z".parse().unwrap(), ..result(2, 0, 3) };
    assert_eq!(settle(&mut ledger, &[corrected, back], 14), 2, "and may be corrected once more");
    assert_eq!(ledger.bankroll(money("0.00"), Mode::Live).balance, money("1013.57"));
    ledger.verify().unwrap();
    assert_eq!(Ledger::parse(&ledger.text()).unwrap(), ledger);
}

#[test]
fn a_void_bet_stays_void_when_the_game_is_played_another_day() {
    let mut ledger = with(four_bets());
    let postponed = ResultRow { status: GameStatus::Postponed, ..result(4, 0, 0) };
    assert_eq!(settle(&mut ledger, &[postponed], 13), 1);
    let mut replayed = result(4, 3, 0);
    replayed.known_at = "2021-11-20T23:00:00Z".parse().unwrap();
    let mut game = (*replayed.game).clone();
    game.start_time = "2021-11-20T20:00:00Z".parse().unwrap();
    replayed.game = game.into();
    assert_eq!(settle(&mut ledger, &[replayed], 21), 0);
}

#[test]
fn paper_bets_never_touch_the_bankroll() {
    let mut paper = placed(1, Selection::Home, None, 2.0, "50.00");
    let terms = paper.terms.clone().unwrap();
    paper = Entry::placed(&night(11), Mode::Paper, paper.stake, terms);
    let mut ledger = with(vec![paper, placed(2, Selection::Home, None, 2.0, "10.00")]);
    settle(&mut ledger, &[result(1, 0, 1), result(2, 1, 0)], 12);
    assert_eq!(ledger.bankroll(money("1000.00"), Mode::Live).balance, money("1010.00"));
    assert_eq!(ledger.bankroll(money("1000.00"), Mode::Paper).balance, money("950.00"));
    ledger.verify().unwrap();
}

#[test]
fn money_in_and_out_is_no_profit_and_no_drawdown() {
    let mut ledger = Ledger::default();
    let out = Entry::cash(&night(11), Event::Withdrawal, Mode::Live, money("400.00"), "rent");
    let back = Entry::cash(&night(12), Event::Deposit, Mode::Live, money("100.00"), "back");
    ledger.append(vec![out, back], money("1000.00")).unwrap();
    let bankroll = ledger.bankroll(money("1000.00"), Mode::Live);
    assert_eq!((bankroll.balance, bankroll.profit), (money("700.00"), Money::ZERO));
    assert!(bankroll.drawdown.abs() < 1e-12);
    ledger.verify().unwrap();
    assert_eq!(Ledger::parse(&ledger.text()).unwrap(), ledger);
}

#[test]
fn drawdown_is_measured_from_the_peak() {
    let mut ledger = with(vec![
        placed(1, Selection::Home, None, 2.0, "100.00"),
        placed(2, Selection::Home, None, 2.0, "220.00"),
    ]);
    settle(&mut ledger, &[result(1, 1, 0), result(2, 0, 1)], 12);
    let bankroll = ledger.bankroll(money("1000.00"), Mode::Live);
    assert!((bankroll.drawdown + 0.2).abs() < 1e-12, "1100 to 880: {}", bankroll.drawdown);
    let purse = ledger.purse(money("1000.00"), Mode::Live);
    assert!((purse.drawdown + 0.2).abs() < 1e-12 && purse.open_games.is_empty());
}

#[test]
fn a_batch_with_a_contradiction_is_refused_whole() {
    let mut ledger = with(four_bets());
    let before = ledger.clone();
    let mut stranger = placed(9, Selection::Home, None, 2.0, "5.00");
    stranger.stake = Money::ZERO;
    let refused = ledger.append(vec![placed(5, Selection::Home, None, 2.0, "5.00"), stranger], money("1.00"));
    assert!(matches!(refused, Err(LedgerError::Refused { .. })));
    assert_eq!(ledger, before);
}

#[test]
fn text_of_others_cannot_become_a_formula() {
    let mut bet = placed(1, Selection::Home, None, 2.0, "5.00");
    if let Some(terms) = &mut bet.terms {
        terms.home = "=cmd|' /C calc'!A1".into();
        terms.away = "-2+3, \"the\nrest\"".into();
        terms.book = "'quoted".into();
    }
    let ledger = with(vec![bet.clone()]);
    for cell in csv_cells(&ledger.text()) {
        let number = cell.parse::<f64>().is_ok();
        assert!(number || !cell.starts_with(['=', '+', '-', '@']), "{cell}");
    }
    let again = Ledger::parse(&ledger.text()).unwrap();
    assert_eq!(again.entries()[0].terms, bet.terms);
}

fn csv_cells(text: &str) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut quoted = false;
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' | '\n' if !quoted => cells.push(String::new()),
            c => cells.last_mut().unwrap().push(c),
        }
    }
    cells
}

#[test]
fn what_is_not_understood_is_refused_with_line_and_column() {
    let text = with(four_bets()).text();
    let damaged = [
        ("another table", "name,price\nball,3\n".to_owned()),
        ("a web page", "<!DOCTYPE html>\n<html></html>\n".to_owned()),
        ("a letter in an amount", text.replace(",12.34,", ",12.3O,")),
        ("an unknown event", text.replacen("placed", "plaved", 1)),
        ("a price of 1", text.replace(",2.1,", ",1,")),
        ("a cut-off line", text[..text.len() - 200].to_owned()),
        ("a line cut in its last cell", text[..text.len() - 9].to_owned()),
        ("the same bet twice", format!("{text}{}\n", text.lines().nth(1).unwrap())),
        ("a lost placement", text.lines().take(1).chain(["2021-11-11,x,y,z"]).collect::<Vec<_>>().join("\n")),
    ];
    let mut messages = String::new();
    for (name, text) in damaged {
        writeln!(messages, "{name}: {}", Ledger::parse(&text).unwrap_err()).unwrap();
    }
    insta::assert_snapshot!(messages);
}

#[test]
fn an_edited_number_is_found() {
    let mut ledger = with(four_bets());
    settle(&mut ledger, &[result(1, 2, 1), result(2, 0, 3)], 12);
    let text = ledger.text();
    let edits = [
        ("a bigger win", text.replace("12.34,13.57", "12.34,14.57")),
        ("another stake", text.replace("20.00,9.50", "21.00,9.50")),
        ("another score", text.replace("half_win,2,1", "half_win,3,1")),
        ("another balance", text.replace(",1009.50,", ",1009.60,")),
        ("another price", text.replacen(",1.95,", ",1.96,", 1)),
        ("another value at the close", text.replace("0.520512820513,0.0", "0.620512820513,0.0")),
    ];
    let mut messages = String::new();
    for (name, edited) in edits {
        assert_ne!(edited, text, "{name} changes nothing");
        let broken = Ledger::parse(&edited).unwrap_err();
        assert!(matches!(broken, LedgerError::Seal { .. }), "{name}: {broken}");
        let mismatch = Ledger::parse_ignoring_seals(&edited).unwrap().verify().unwrap_err();
        writeln!(messages, "{name}: {mismatch}").unwrap();
    }
    insta::assert_snapshot!(messages);
}

#[test]
fn a_view_of_the_past_keeps_the_balance_that_the_file_began_with() {
    let mut ledger = with(four_bets());
    settle(&mut ledger, &[result(2, 0, 3)], 12);
    // The settings say 5,000 by now; the file began with 1,000.
    let view = ledger.view(|entry| entry.as_of < night(12).as_of, money("5000.00")).unwrap();
    assert_eq!(view.bankroll(money("5000.00"), Mode::Live).balance, money("1000.00"));
    let whole = ledger.view(|_| true, money("5000.00")).unwrap();
    assert_eq!(whole.bankroll(money("5000.00"), Mode::Live).balance, money("1013.57"));
    assert_eq!(whole, ledger);
}

#[test]
fn a_bet_whose_game_has_no_result_is_named_after_some_days() {
    let mut ledger = with(four_bets());
    settle(&mut ledger, &[result(2, 0, 3)], 12);
    assert!(ledger.overdue(night(15).as_of).is_empty());
    assert_eq!(ledger.overdue(night(16).as_of).len(), 3);
}

//! `edge ledger` as a person uses it: bets by hand, money in and out, totals, edits, a full disk.

use std::process::Command;

use crate::edge::{Answer, Edge};

const LEAGUE: &str = "currency = \"EUR\"\n[[league]]\nid = \"club\"\nsource = \"csv\"\npath = \"games.csv\"\n\
    [league.csv.columns]\ndate = \"date\"\nhome = \"home\"\naway = \"away\"\n\
    [league.settlement]\ntie = \"dead_heat\"\nmoved_within_hours = 48\n";

const BETS: &str = "date,league,home,away,market,selection,points,price,stake,book,start_time,outcome,score\n\
    2026-03-01,club,North,South,moneyline,home,,2.10,10.00,Meridian,2026-03-01T20:00:00Z,win,3-1\n\
    2026-03-01,club,East,West,spread,away,0.25,1.95,20.00,=Cmd,2026-03-01T20:00:00Z,half_win,1-1\n\
    2026-03-02,club,North,West,total,over,2.5,1.90,5.00,Meridian,2026-03-02T20:00:00Z,,\n";

fn with_bets() -> Edge {
    let edge = Edge::with(LEAGUE);
    edge.write("bets.csv", BETS.as_bytes());
    edge.run(&["ledger", "import", "bets.csv"]).done();
    edge
}

#[test]
fn bets_by_hand_come_in_once_and_are_shown_and_summed_up() {
    let edge = Edge::with(LEAGUE);
    edge.write("bets.csv", BETS.as_bytes());
    let dry = edge.run(&["ledger", "import", "bets.csv", "--dry-run"]).done();
    assert!(dry.contains("5 rows would be written of 3 bets"), "{dry}");
    assert!(!edge.path("edge-store/reports/ledger.csv").exists());
    let first = edge.run(&["ledger", "import", "bets.csv"]);
    assert!(first.stderr.contains("3 bets on games that are not in the store"), "{}", first.stderr);
    insta::with_settings!({filters => [(r"\d{4}-\d\d-\d\d  settled", "[today]     settled")]}, {
        insta::assert_snapshot!(first.done());
    });
    assert!(edge.run(&["ledger", "import", "bets.csv"]).done().contains("0 rows written of 3 bets"));
    edge.run(&["ledger", "verify"]).done();
    let totals = edge.run(&["ledger", "show", "--totals", "book"]).done();
    assert!(totals.lines().all(|line| line.chars().count() <= 80), "{totals}");
    insta::assert_snapshot!(totals);
    let shown = |arguments: &[&str]| {
        let answer = edge.run(&[&["ledger", "show", "--json"], arguments].concat()).done();
        serde_json::from_str::<Vec<serde_json::Value>>(&answer).unwrap().len()
    };
    assert_eq!(shown(&[]), 5);
    assert_eq!(shown(&["--book", "meridian"]), 3);
    assert_eq!(shown(&["--event", "settled"]), 2);
    assert_eq!(shown(&["--market", "total", "--open"]), 1);
    assert_eq!(shown(&["--since", "2026-03-02", "--event", "placed"]), 1);
    assert_eq!(shown(&["--league", "other"]), 0);
    assert_eq!(shown(&["--last", "2"]), 2);
}

#[test]
fn a_bet_is_ended_by_hand_and_again_otherwise() {
    let edge = with_bets();
    let open = edge.run(&["ledger", "show", "--open", "--json"]).done();
    let open: serde_json::Value = serde_json::from_str(&open).unwrap();
    let bet = open[0]["bet_id"].as_str().unwrap();
    let settle = |outcome: &str| edge.run(&["ledger", "settle", "--bet", bet, "--outcome", outcome]).done();
    assert!(settle("win").contains("1 row written"));
    assert!(settle("win").contains("0 rows written"), "once is enough");
    assert!(settle("postponed").contains("2 rows written"), "taken back, and void");
    edge.run(&["ledger", "verify"]).done();
    edge.run(&["ledger", "settle", "--bet", "nobody", "--outcome", "win"]).refused(2, &["nobody"]);
    assert_eq!(edge.run(&["ledger", "settle", "--bet", bet, "--outcome", "draw"]).code, Some(2));
}

#[test]
fn a_bet_by_hand_is_judged_by_the_close_like_any_other() {
    let priced = LEAGUE.replace(
        "away = \"away\"\n",
        "away = \"away\"\ntime = \"time\"\nhome_price = \"h\"\naway_price = \"a\"\ncaptured_at = \"seen\"\n",
    );
    let edge = Edge::with(&priced);
    let games = "date,time,home,away,h,a,seen\n2026-03-01,20:00,North,South,1.90,1.90,2026-03-01T19:55:00Z\n";
    edge.write("games.csv", games.as_bytes());
    edge.run(&["fetch"]).done();
    let bets = "date,league,home,away,market,selection,price,stake,placed_at,outcome,score\n\
        2026-03-01,club,North,South,moneyline,home,2.10,10.00,2026-03-01T09:00:00Z,win,3-1\n\
        2026-03-01,club,North,South,moneyline,away,2.20,10.00,2026-03-01T09:00:00Z,,\n";
    edge.write("bets.csv", bets.as_bytes());
    edge.run(&["ledger", "import", "bets.csv"]).done();
    let rows = |arguments: &[&str]| -> Vec<serde_json::Value> {
        serde_json::from_str(&edge.run(&[&["ledger", "show", "--json"], arguments].concat()).done()).unwrap()
    };
    let open = rows(&["--open"])[0]["bet_id"].as_str().unwrap().to_owned();
    edge.run(&["ledger", "settle", "--bet", &open, "--outcome", "loss"]).done();
    let settled = rows(&["--event", "settled"]);
    let of = |row: usize, column: &str| settled[row][column].as_str().unwrap().to_owned();
    assert_eq!(
        (of(0, "closing_price"), of(0, "ev_clv")),
        ("1.9".to_owned(), "0.050000000000000044".to_owned())
    );
    assert_eq!(
        (of(1, "closing_price"), of(1, "ev_clv")),
        ("1.9".to_owned(), "0.10000000000000009".to_owned())
    );
    edge.run(&["ledger", "verify"]).done();
}

#[test]
fn money_in_and_out_is_noted_once_a_reference() {
    let edge = Edge::with(LEAGUE);
    let deposit = edge.run(&["ledger", "deposit", "250.00"]).done();
    assert!(deposit.contains("1250.00"), "{deposit}");
    let again = edge.run(&["ledger", "deposit", "250.00"]);
    assert!(again.stderr.contains("--reference"), "{}", again.stderr);
    let out = edge.run(&["ledger", "withdraw", "50.00", "--reference", "rent"]).done();
    assert!(out.contains("1200.00"), "{out}");
    edge.run(&["ledger", "deposit", "0"]).refused(2, &["above 0"]);
}

#[test]
fn a_bad_file_of_bets_is_refused_whole_with_line_and_column() {
    let edge = Edge::with(LEAGUE);
    let mut shown = String::new();
    for (edit, with) in [
        ("stake,book", "staked,book"),
        ("2.10,10.00", "0.95,10.00"),
        ("1.90,5.00", "1.90,NaN"),
        ("spread,away,0.25", "spread,away,0.3"),
        ("moneyline,home,", "moneyline,over,"),
        ("half_win,1-1", "half_won,1-1"),
        ("total,over,2.5", "total,over,"),
        ("2026-03-02T20:00:00Z", ""),
        (",stake,", ",stake,colour,"),
    ] {
        assert!(BETS.contains(edit), "{edit}");
        edge.write("bets.csv", BETS.replacen(edit, with, 1).as_bytes());
        let answer = edge.run(&["ledger", "import", "bets.csv"]);
        assert_eq!(answer.code, Some(2), "{edit}: {}", answer.stderr);
        shown += answer.stderr.lines().last().unwrap();
        shown.push('\n');
        assert!(!edge.path("edge-store/reports/ledger.csv").exists(), "{edit}");
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn an_edited_ledger_stops_everything_that_would_write_to_it_until_it_is_accepted() {
    let edge = with_bets();
    let path = edge.path("edge-store/reports/ledger.csv");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replacen(",2.1,", ",9.1,", 1)).unwrap();
    edge.run(&["ledger", "verify"]).refused(1, &["line 2", "seal", "reseal"]);
    edge.run(&["ledger", "deposit", "5.00"]).refused(1, &["line 2"]);
    edge.run(&["ledger", "import", "bets.csv"]).refused(1, &["line 2"]);
    assert_eq!(
        std::fs::read_to_string(&path).unwrap(),
        text.replacen(",2.1,", ",9.1,", 1),
        "nothing was touched"
    );
    std::fs::write(&path, text.lines().take(4).map(|line| line.to_owned() + "\n").collect::<String>())
        .unwrap();
    edge.run(&["ledger", "verify"]).refused(1, &["3 rows", "once had 5"]);
    let told = edge.run(&["ledger", "reseal"]);
    assert!(told.stderr.contains("ledger.before_1.csv"), "{}", told.stderr);
    edge.run(&["ledger", "verify"]).done();
}

#[test]
fn it_goes_out_as_parquet() {
    let edge = with_bets();
    edge.run(&["ledger", "export", "book.parquet"]).done();
    assert_eq!(&std::fs::read(edge.path("book.parquet")).unwrap()[..4], b"PAR1");
    edge.run(&["ledger", "export", "no/such/folder.parquet"]).refused(1, &["no/such/folder.parquet"]);
}

#[test]
fn a_full_disk_loses_nothing() {
    let edge = with_bets();
    let path = edge.path("edge-store/reports/ledger.csv");
    let before = std::fs::read(&path).unwrap();
    // No file may grow beyond the ledger as it is, rounded up to the next kilobyte; a write beyond fails in the middle.
    let kilobytes = before.len() / 1024 + 1;
    let mut written = 0;
    let answer = loop {
        written += 1;
        assert!(written < 20, "the limit never struck");
        let inner = edge.command(&["ledger", "deposit", "5.00", "--reference", &format!("n{written}")]);
        let mut shell = Command::new("bash");
        shell.args(["-c", &format!("trap '' XFSZ; ulimit -f {kilobytes}; exec \"$0\" \"$@\"")]);
        shell.arg(inner.get_program()).args(inner.get_args()).current_dir(edge.path("."));
        let answer: Answer = shell.output().unwrap().into();
        if answer.code != Some(0) {
            break answer;
        }
    };
    answer.refused(1, &["ledger.csv", "nothing was lost"]);
    edge.run(&["ledger", "verify"]).done();
    let after = std::fs::read(&path).unwrap();
    assert!(after.starts_with(&before));
    edge.run(&["ledger", "deposit", "5.00", "--reference", &format!("n{written}")]).done();
    edge.run(&["ledger", "verify"]).done();
}

#[test]
fn settlement_rules_that_a_source_cannot_serve_are_refused() {
    for (text, named) in [
        (
            "[[league]]\nid = \"nfl\"\nsource = \"nflverse\"\npath = \"x.csv\"\n[league.settlement]\novertime = \"excluded\"\n",
            "overtime",
        ),
        (
            "[[league]]\nid = \"nfl\"\nsource = \"nflverse\"\npath = \"x.csv\"\n[league.settlement]\ntie = \"offered\"\n",
            "three_way",
        ),
        ("[stakes]\nbets_per_game = 0\n", "bets_per_game"),
        ("[stakes]\nmax_league = 2.0\n", "max_league"),
        ("[stakes]\nhurdle = nan\n", "hurdle"),
        ("[stakes.books.x]\nmaximum = \"1\"\n", "maximum"),
    ] {
        Edge::with(text).run(&["ledger", "show"]).refused(2, &[named]);
    }
}

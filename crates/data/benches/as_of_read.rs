//! How long one league's season takes to read as of an instant, out of a lake of two hundred.
//!
//! `cargo bench -p data --bench as_of_read`

#![expect(clippy::unwrap_used, reason = "a bench that cannot be set up must stop")]

use std::{fmt::Write, sync::OnceLock};

use data::{ImportSettings, Lake, League, Store};
use market::{LeagueId, Timestamp};

const LEAGUES: usize = 20;
const SEASONS: std::ops::Range<i32> = 2005..2015;
const GAMES: i64 = 250;
const BOOKS: usize = 10;

fn main() {
    divan::main();
}

/// A lake of 200 league-seasons with 25,000 prices each.
fn lake() -> &'static Lake {
    static LAKE: OnceLock<(tempfile::TempDir, Lake)> = OnceLock::new();
    let (_, lake) = LAKE.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let lake = Lake::new(Store::open(folder.path().join("store").to_str().unwrap()).unwrap());
        let file = folder.path().join("lines.csv");
        std::fs::write(&file, lines()).unwrap();
        let settings = ImportSettings { keep_raw: false, ..ImportSettings::new(Timestamp::UNIX_EPOCH) };
        lake.import(&[file], &settings, &|_| ()).unwrap();
        (folder, lake)
    });
    lake
}

fn lines() -> String {
    let mut text = String::from(
        "league,game_id,season,start_time,home,away,book,market,selection,points,price,captured_at,is_closing,source\n",
    );
    for league in 0..LEAGUES {
        for season in SEASONS {
            let begins = (i64::from(season) - 1970) * 31_557_600;
            for game in 0..GAMES {
                let start = begins + game * 86_400;
                for book in 0..BOOKS {
                    for (capture, hours) in [96, 48, 24, 6, 1].into_iter().enumerate() {
                        let at = start - hours * 3_600;
                        for (selection, price) in [("home", 1.9), ("away", 2.0)] {
                            let price = price + f64::from(u32::try_from(capture).unwrap()) / 100.0;
                            writeln!(text, "l{league},l{league}_{season}_{game},{season},{start},t{},t{},b{book},moneyline,{selection},,{price},{at},false,bench", game % 20, (game + 7) % 20).unwrap();
                        }
                    }
                }
            }
        }
    }
    text
}

fn league() -> League {
    League { id: LeagueId::new("l7").unwrap(), three_way: false, time_zone: "UTC".to_owned() }
}

#[divan::bench]
fn one_season_whole(bencher: divan::Bencher<'_, '_>) {
    let (lake, as_of) = (lake(), "2030-01-01T00:00:00Z".parse().unwrap());
    assert_eq!(lake.season(&league(), 2009, as_of).unwrap().lines.len(), 25_000);
    bencher.bench(|| lake.season(&league(), 2009, as_of).unwrap());
}

#[divan::bench]
fn one_season_as_of_its_middle(bencher: divan::Bencher<'_, '_>) {
    let (lake, as_of) = (lake(), "2009-05-01T00:00:00Z".parse().unwrap());
    let seen = lake.season(&league(), 2009, as_of).unwrap().lines.len();
    assert!((5_000..20_000).contains(&seen), "{seen}");
    bencher.bench(|| lake.season(&league(), 2009, as_of).unwrap());
}

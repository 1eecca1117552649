#![no_main]

use std::sync::LazyLock;

use data::{Columns, CsvFile, CsvSettings, Location};

static SOURCE: LazyLock<CsvFile> = LazyLock::new(|| {
    let column = |name: &str| Some(name.to_owned());
    let columns = Columns {
        date: column("date"),
        time: column("time"),
        home: column("home"),
        away: column("away"),
        home_score: column("hs"),
        away_score: column("as"),
        status: column("status"),
        number: column("number"),
        home_price: column("hp"),
        away_price: column("ap"),
        spread: column("spread"),
        spread_home_price: column("shp"),
        spread_away_price: column("sap"),
        captured_at: column("at"),
        ..Columns::default()
    };
    let league = CsvFile::league("own", false, "Europe/Vienna").expect("a valid id");
    let settings = CsvSettings { columns, ..CsvSettings::default() };
    CsvFile::new(league, Location::new(["none"]), settings, CsvFile::LEADS).expect("valid settings")
});

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::read(&*SOURCE, "csv", bytes));

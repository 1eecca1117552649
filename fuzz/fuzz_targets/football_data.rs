#![no_main]

use std::sync::LazyLock;

use data::{FootballData, Location};

static SOURCE: LazyLock<FootballData> = LazyLock::new(|| {
    let league = FootballData::league("epl", "Europe/London").expect("a valid id");
    FootballData::new(league, Location::new(["none"]), FootballData::LEADS).expect("valid settings")
});

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::read(&*SOURCE, "csv", bytes));

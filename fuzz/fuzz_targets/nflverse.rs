#![no_main]

use std::sync::LazyLock;

use data::{Location, Nflverse};

static SOURCE: LazyLock<Nflverse> = LazyLock::new(|| {
    let league = Nflverse::league("nfl").expect("a valid id");
    Nflverse::new(league, Location::new(["none"]), Nflverse::LEADS).expect("valid settings")
});

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::read(&*SOURCE, "csv", bytes));

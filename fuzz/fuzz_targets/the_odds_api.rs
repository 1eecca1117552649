#![no_main]

use std::sync::LazyLock;

use data::TheOddsApi;

static SOURCE: LazyLock<TheOddsApi> = LazyLock::new(|| {
    let league = TheOddsApi::league("nfl", "americanfootball_nfl", None, None).expect("a valid id");
    TheOddsApi::new(league, "americanfootball_nfl").expect("valid settings")
});

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::read(&*SOURCE, "json", bytes));

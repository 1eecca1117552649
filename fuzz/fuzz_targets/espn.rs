#![no_main]

use std::sync::LazyLock;

use data::Espn;

static SOURCE: LazyLock<Espn> = LazyLock::new(|| {
    let league = Espn::league("epl", "soccer/eng.1", None, None).expect("a valid id");
    Espn::new(league, None, "soccer/eng.1", Espn::LEADS).expect("valid settings")
});

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::read(&*SOURCE, "json", bytes));

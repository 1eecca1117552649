//! Each page as the sample has it, and at its largest: three hundred games, a thousand bets.
//!
//! ```sh
//! cargo bench -p report
//! ```

#[path = "../examples/pages/facts.rs"]
#[expect(dead_code, reason = "pages with nothing on them are not worth measuring")]
mod facts;

use divan::Bencher;
use report::{
    ReportError,
    pages::{Pages, input::RunPage},
};

use facts::Facts;

fn main() {
    divan::main();
}

/// Measures `write` on facts that were read before, with templates parsed before.
fn measure<P>(
    bencher: Bencher<'_, '_>,
    facts: Facts<P>,
    write: impl Fn(&Pages, &P) -> Result<String, ReportError>,
) {
    let (Ok(pages), Ok(facts)) = (Pages::built_in(), facts) else { return };
    bencher.bench_local(|| write(&pages, &facts));
}

#[divan::bench]
fn templates_parsed() -> Option<Pages> {
    Pages::built_in().ok()
}

#[divan::bench]
fn slate(bencher: Bencher<'_, '_>) {
    measure(bencher, facts::slate(), Pages::slate);
}

#[divan::bench]
fn game(bencher: Bencher<'_, '_>) {
    measure(bencher, facts::game(), Pages::game);
}

#[divan::bench]
fn ledger(bencher: Bencher<'_, '_>) {
    measure(bencher, facts::ledger(), Pages::ledger);
}

#[divan::bench]
fn model(bencher: Bencher<'_, '_>) {
    measure(bencher, facts::model(), Pages::model);
}

#[divan::bench]
fn runs(bencher: Bencher<'_, '_>) {
    measure(bencher, facts::runs(), Pages::runs);
}

#[divan::bench]
fn run(bencher: Bencher<'_, '_>) {
    measure(bencher, facts::run(), Pages::run);
}

#[divan::bench]
fn problem(bencher: Bencher<'_, '_>) {
    measure(bencher, facts::problem(), Pages::problem);
}

#[divan::bench]
fn slate_of_three_hundred_games(bencher: Bencher<'_, '_>) {
    measure(bencher, facts::crowd().map(|crowd| crowd.0), Pages::slate);
}

#[divan::bench]
fn game_of_a_thousand_prices(bencher: Bencher<'_, '_>) {
    measure(bencher, facts::crowd().map(|crowd| crowd.1), Pages::game);
}

#[divan::bench]
fn ledger_of_a_thousand_bets(bencher: Bencher<'_, '_>) {
    measure(bencher, facts::crowd().map(|crowd| crowd.2), Pages::ledger);
}

#[divan::bench]
fn run_of_a_thousand_tasks(bencher: Bencher<'_, '_>) {
    let tasks =
        |page: RunPage| RunPage { tasks: page.tasks.iter().cycle().take(1000).cloned().collect(), ..page };
    measure(bencher, facts::run().map(tasks), Pages::run);
}

//! A report with its charts, page, mail and text: a normal night, and one with 300 picks.
//!
//! ```sh
//! cargo bench -p report
//! ```

use divan::Bencher;
use report::ReportData;

fn main() {
    divan::main();
}

/// The sample night; with `picks` of them instead of its own where given.
fn night(picks: Option<usize>) -> Option<ReportData> {
    let mut data: ReportData = serde_json::from_str(include_str!("../examples/sample.json")).ok()?;
    if let Some(count) = picks {
        let first = data.picks.first()?.clone();
        data.picks = vec![first; count];
    }
    Some(data)
}

#[divan::bench]
fn sample(bencher: Bencher<'_, '_>) {
    bencher.with_inputs(|| night(None)).bench_refs(|data| data.as_ref().map(report::render));
}

#[divan::bench]
fn three_hundred_picks(bencher: Bencher<'_, '_>) {
    bencher.with_inputs(|| night(Some(300))).bench_refs(|data| data.as_ref().map(report::render));
}

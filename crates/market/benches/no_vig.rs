//! How long one three-way market takes, by method. Run with `cargo bench -p market`.

use divan::{Bencher, black_box};
use market::no_vig::{Method, no_vig};

fn main() {
    divan::main();
}

#[divan::bench(args = Method::ALL)]
fn three_way(bencher: Bencher<'_, '_>, method: Method) {
    bencher.bench(|| no_vig(black_box(&[2.6, 2.4, 4.3]), method));
}

//! Writes every page so that a human can look at it: `cargo run -p report --example pages [FOLDER]`.
//!
//! The folder is laid out as the pages are served; a browser that opens a file of it without a server finds
//! no stylesheet, so serve it: `python3 -m http.server -d FOLDER`.

#[path = "pages/facts.rs"]
mod facts;

use std::{error::Error, fs, path::PathBuf};

use report::pages::Pages;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).map_or_else(|| PathBuf::from("reports/pages"), PathBuf::from);
    let pages = Pages::built_in()?;
    let (slate, game, ledger, model, runs, run) = facts::nothing_yet()?;
    let (many_games, many_prices, many_bets) = facts::crowd()?;
    let written = [
        ("slate", pages.slate(&facts::slate()?)?),
        ("game", pages.game(&facts::game()?)?),
        ("ledger", pages.ledger(&facts::ledger()?)?),
        ("model", pages.model(&facts::model()?)?),
        ("runs", pages.runs(&facts::runs()?)?),
        ("run", pages.run(&facts::run()?)?),
        ("problem", pages.problem(&facts::problem()?)?),
        ("first-slate", pages.slate(&slate)?),
        ("first-game", pages.game(&game)?),
        ("first-ledger", pages.ledger(&ledger)?),
        ("first-model", pages.model(&model)?),
        ("first-runs", pages.runs(&runs)?),
        ("first-run", pages.run(&run)?),
        ("full-slate", pages.slate(&many_games)?),
        ("full-game", pages.game(&many_prices)?),
        ("full-ledger", pages.ledger(&many_bets)?),
    ];
    fs::create_dir_all(folder.join("assets"))?;
    for (name, html) in written {
        fs::write(folder.join(format!("{name}.html")), html)?;
    }
    for asset in pages.assets() {
        fs::write(folder.join(asset.path.trim_start_matches('/')), &asset.bytes)?;
    }
    Ok(())
}

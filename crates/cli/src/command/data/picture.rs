//! Coverage at a glance: a bar per season, as high as its games, filled as far as they are priced.

use std::fmt::Write;

use data::{Coverage, SeasonCoverage};

const MARGIN: f64 = 28.0;
const LABEL: f64 = 110.0;
const BAR: f64 = 26.0;
const STEP: f64 = 34.0;
const HEIGHT: f64 = 90.0;
const ROW: f64 = 150.0;
const TOP: f64 = 76.0;

/// Draws the SVG; the same coverage gives the same text.
pub(super) fn draw(leagues: &[Coverage]) -> String {
    let seasons = leagues.iter().map(|league| league.seasons.len()).max().unwrap_or(0) as f64;
    let width = (2.0 * MARGIN + LABEL + seasons * STEP).max(640.0);
    let height = TOP + leagues.len() as f64 * ROW + MARGIN;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         font-family=\"Helvetica, Arial, sans-serif\" font-size=\"11\" fill=\"#2e3440\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fcfbf8\"/>\n\
         <text x=\"{MARGIN}\" y=\"34\" font-size=\"16\" font-weight=\"600\">What is in the store</text>\n\
         <text x=\"{MARGIN}\" y=\"54\" fill=\"#6b7280\">height: games of a season; filled: with a price; line: with a result; dot: a pause of more than three weeks</text>\n"
    );
    for (row, league) in leagues.iter().enumerate() {
        draw_league(&mut svg, league, TOP + row as f64 * ROW);
    }
    svg.push_str("</svg>\n");
    svg
}

fn draw_league(svg: &mut String, league: &Coverage, top: f64) {
    let most = league.seasons.iter().map(|season| season.games).max().unwrap_or(1).max(1) as f64;
    let base = top + HEIGHT + 16.0;
    let games: usize = league.seasons.iter().map(|season| season.games).sum();
    let id = escaped(league.league.as_str());
    let _ = writeln!(
        svg,
        "<text x=\"{MARGIN}\" y=\"{}\" font-size=\"13\" font-weight=\"600\">{id}</text>\
         <text x=\"{MARGIN}\" y=\"{}\" fill=\"#6b7280\">{games} games</text>\
         <text x=\"{MARGIN}\" y=\"{}\" fill=\"#6b7280\">at most {most}</text>",
        base - 34.0,
        base - 18.0,
        base - 4.0
    );
    for (column, season) in league.seasons.iter().enumerate() {
        draw_season(svg, season, MARGIN + LABEL + column as f64 * STEP, base, most);
    }
    let _ = writeln!(
        svg,
        "<line x1=\"{}\" x2=\"{}\" y1=\"{base}\" y2=\"{base}\" stroke=\"#9aa1ad\"/>",
        MARGIN + LABEL - 4.0,
        MARGIN + LABEL + league.seasons.len() as f64 * STEP
    );
}

fn draw_season(svg: &mut String, season: &SeasonCoverage, left: f64, base: f64, most: f64) {
    let high = |count: usize| HEIGHT * count as f64 / most;
    let (games, priced, results) = (high(season.games), high(season.priced), high(season.results));
    let told = format!(
        "{}: {} games, {} with a result, {} priced, {} prices of {} books",
        season.season,
        season.games,
        season.results,
        season.priced,
        season.lines,
        season.books.len()
    );
    let _ = writeln!(
        svg,
        "<g><title>{told}</title>\
         <rect x=\"{left}\" y=\"{:.1}\" width=\"{BAR}\" height=\"{games:.1}\" fill=\"#e5e7eb\"/>\
         <rect x=\"{left}\" y=\"{:.1}\" width=\"{BAR}\" height=\"{priced:.1}\" fill=\"#5e9bc4\"/>\
         <line x1=\"{left}\" x2=\"{}\" y1=\"{y:.1}\" y2=\"{y:.1}\" stroke=\"#2e3440\" stroke-width=\"1.5\"/>\
         <text x=\"{}\" y=\"{}\" text-anchor=\"middle\" font-size=\"9\" fill=\"#6b7280\">{}</text></g>",
        base - games,
        base - priced,
        left + BAR,
        left + BAR / 2.0,
        base + 13.0,
        season.season,
        y = base - results,
    );
    if !season.gaps.is_empty() {
        let _ = writeln!(
            svg,
            "<circle cx=\"{}\" cy=\"{:.1}\" r=\"2.5\" fill=\"#c8822b\"><title>{} pauses of more than three weeks</title></circle>",
            left + BAR / 2.0,
            base - games - 7.0,
            season.gaps.len()
        );
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

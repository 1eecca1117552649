//! What the books agree on as of an instant: the median over books of the logit of each one's no-vig probability.
//!
//! The same rule as [`market::consensus`], over quotes whose margin was taken out once when the graph was built.

use market::{
    Market,
    consensus::{logistic, logit},
};

use crate::quotes::{Quote, Quotes};

/// Slope between a fair logit and standard deviations of the margin near an even line: `Φ⁻¹'(½) / logit'(½)`.
const DEVIATIONS_PER_LOGIT: f64 = 0.626_657;

/// Opinion of all books on a game; each part only where at least one book quotes it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Opinion {
    /// Fair probabilities of home, draw (0 in two-way markets) and away.
    pub(crate) moneyline: Option<[f64; 3]>,
    /// Expected margin in points that the spreads stand for.
    pub(crate) margin: Option<f64>,
    /// Expected total in points.
    pub(crate) total: Option<f64>,
    /// Books with any quote on the moneyline, else on the spread.
    pub(crate) books: usize,
    /// Robust standard deviation of the books' logits (home side).
    pub(crate) dispersion: f64,
}

/// Which of a line's quotes counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pick {
    /// The latest.
    Latest,
    /// The first.
    First,
    /// The one marked closing, else the last before the start (nanoseconds).
    Closing { start: i64 },
}

/// Gathers the game's opinion from what stood strictly before `as_of`; `scale` is one standard deviation of
/// margin and of total in points, to turn a price that is not even into points.
pub(crate) fn opinion(quotes: &Quotes, game: u32, as_of: i64, pick: Pick, scale: [f64; 2]) -> Opinion {
    let mut moneyline: [Vec<f64>; 3] = Default::default();
    let (mut spread_logits, mut margins, mut totals) = (Vec::new(), Vec::new(), Vec::new());
    for line in quotes.of_game(game) {
        let Some(quote) = choose(quotes.before(line, as_of), pick) else { continue };
        let home = logit(quote.fair[0]);
        match quotes.lines[line as usize].market {
            Market::Moneyline => (0..3).for_each(|side| moneyline[side].push(logit(quote.fair[side]))),
            Market::Spread => {
                spread_logits.push(home);
                margins.push(scale[0] * DEVIATIONS_PER_LOGIT * home - quote.points());
            }
            Market::Total => totals.push(quote.points() + scale[1] * DEVIATIONS_PER_LOGIT * home),
        }
    }
    let sides = if moneyline[0].is_empty() { &mut spread_logits } else { &mut moneyline[0] };
    let (books, dispersion) = (sides.len(), dispersion(sides));
    Opinion {
        moneyline: agree(&mut moneyline),
        margin: median(&mut margins),
        total: median(&mut totals),
        books,
        dispersion,
    }
}

fn choose(quotes: &[Quote], pick: Pick) -> Option<Quote> {
    let chosen = match pick {
        Pick::Latest => quotes.last(),
        Pick::First => quotes.first(),
        Pick::Closing { start } => {
            let marked = quotes.iter().rev().find(|quote| quote.closing);
            marked.or_else(|| quotes.iter().rev().find(|quote| quote.time < start))
        }
    };
    chosen.copied()
}

/// Returns the normalised medians; books without the draw are left aside where others offer it.
fn agree(logits: &mut [Vec<f64>; 3]) -> Option<[f64; 3]> {
    let no_draw = logit(0.0);
    if logits[1].iter().any(|draw| *draw > no_draw) {
        let keep: Vec<bool> = logits[1].iter().map(|draw| *draw > no_draw).collect();
        for side in logits.iter_mut() {
            let mut kept = keep.iter();
            side.retain(|_| kept.next().copied().unwrap_or(false));
        }
    }
    let mut p = [0.0; 3];
    for (p, side) in p.iter_mut().zip(logits) {
        let median = median(side)?;
        *p = if median > no_draw { logistic(median) } else { 0.0 };
    }
    let sum: f64 = p.iter().sum();
    Some(p.map(|p| p / sum))
}

fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        n if n % 2 == 1 => Some(values[middle]),
        _ => Some(f64::midpoint(values[middle - 1], values[middle])),
    }
}

/// Returns `1.4826 · MAD`; 0 with fewer than two books.
fn dispersion(logits: &mut [f64]) -> f64 {
    let Some(centre) = median(logits) else { return 0.0 };
    let mut deviations: Vec<f64> = logits.iter().map(|logit| (logit - centre).abs()).collect();
    median(&mut deviations).map_or(0.0, |mad| 1.4826 * mad)
}

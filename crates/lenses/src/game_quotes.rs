//! What the books say of one game, prepared once, so that each of its hundreds of prices can be judged by the others.
//!
//! # Example
//! ```
//! use lenses::GameQuotes;
//! assert!(GameQuotes::of(&[]).is_empty(), "no quotes, no opinion");
//! ```

use market::{
    LineRow, Name, Selection,
    consensus::{MarketQuotes, logistic, logit, market_points, markets, median},
    no_vig::{Method, no_vig},
};

use crate::MarketOpinion;

/// All complete quotes of one game.
#[derive(Debug, Clone, PartialEq)]
pub struct GameQuotes {
    markets: Vec<Quoted>,
}

#[derive(Debug, Clone, PartialEq)]
struct Quoted {
    quotes: MarketQuotes,
    /// Log-odds by method, book and selection; none where the method fails or leaves (0, 1).
    by_method: Vec<Vec<Vec<Option<f64>>>>,
}

/// What is said of one bet.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Opinions {
    /// The consensus; none when no book quotes every side of the market at these points.
    pub consensus: Option<MarketOpinion>,
    /// The median no-vig probability by each method that works.
    pub by_method: Vec<f64>,
}

impl GameQuotes {
    /// Prepares the latest quotes of one game; a book counts where it quotes every side at the same points.
    pub fn of(quotes: &[&LineRow]) -> Self {
        Self { markets: markets(quotes).into_iter().map(Quoted::of).collect() }
    }

    /// Tells whether nobody quotes anything.
    pub fn is_empty(&self) -> bool {
        self.markets.is_empty()
    }

    /// Returns what the books say of the bet in `line`, its own book left out while two others remain.
    pub fn about(&self, line: &LineRow) -> Opinions {
        let at = market_points(line.selection, line.points);
        let found = self.markets.iter().find(|m| m.quotes.market == line.market && m.quotes.points == at);
        found.map(|market| market.about(line)).unwrap_or_default()
    }
}

impl Quoted {
    fn of(quotes: MarketQuotes) -> Self {
        let fair = |odds: &[f64], method: Method| -> Vec<Option<f64>> {
            let found = no_vig(odds, method).ok();
            let open = |p: &f64| (*p > 0.0 && *p < 1.0).then(|| logit(*p));
            found.map_or_else(|| vec![None; odds.len()], |f| f.probabilities.iter().map(open).collect())
        };
        let by_method = Method::ALL
            .iter()
            .map(|method| quotes.books.iter().map(|book| fair(&book.odds, *method)).collect())
            .collect();
        Self { quotes, by_method }
    }

    fn about(&self, line: &LineRow) -> Opinions {
        let books = &self.quotes.books;
        let others = books.iter().filter(|quote| quote.book != line.book).count();
        let without = (others >= 2).then_some(&line.book);
        let consensus = self.quotes.consensus(without);
        Opinions {
            consensus: consensus.and_then(|consensus| MarketOpinion::of(&consensus, line.selection)),
            by_method: self.medians(line.selection, without),
        }
    }

    fn medians(&self, selection: Selection, without: Option<&Name>) -> Vec<f64> {
        let Some(side) = self.quotes.selections.iter().position(|s| *s == selection) else {
            return Vec::new();
        };
        let of_method = |books: &Vec<Vec<Option<f64>>>| {
            let heard = self.quotes.books.iter().zip(books).filter(|(quote, _)| Some(&quote.book) != without);
            let logits: Vec<f64> = heard.filter_map(|(_, sides)| sides[side]).collect();
            (!logits.is_empty()).then(|| logistic(median(&logits)))
        };
        self.by_method.iter().filter_map(of_method).collect()
    }
}

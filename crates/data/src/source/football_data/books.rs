//! Which columns of a season hold which book's prices.

use csv::StringRecord;
use market::{Market, Name, Points, Selection};

use super::{
    super::{
        quote::{self, Side},
        table::Table,
    },
    AVERAGE, optional,
};

/// Prefixes of the best prices of a market, each from another book: nobody offered them together.
const BEST: [&str; 2] = ["Max", "BbMx"];
/// Prefixes of the mean prices of a market.
const MEAN: [&str; 2] = ["Avg", "BbAv"];
const TOTAL: f64 = 2.5;

/// Prefixes of the layout and the books behind them; an unknown prefix serves as the book's name.
const BOOKS: [(&str, &str); 20] = [
    ("1XB", "1xbet"),
    ("B365", "bet365"),
    ("BF", "betfair"),
    ("BFD", "betfred"),
    ("BFE", "betfair_exchange"),
    ("BMGM", "betmgm"),
    ("BS", "bluesquare"),
    ("BV", "betvictor"),
    ("BW", "bwin"),
    ("CL", "coral"),
    ("GB", "gamebookers"),
    ("IW", "interwetten"),
    ("LB", "ladbrokes"),
    ("PS", "pinnacle"),
    ("SB", "sportingbet"),
    ("SJ", "stanjames"),
    ("SO", "sportingodds"),
    ("SY", "stanleybet"),
    ("VC", "betvictor"),
    ("WH", "williamhill"),
];

/// One book's market, by the columns in which it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Offer {
    pub(super) book: Name,
    pub(super) market: Market,
    pub(super) is_closing: bool,
    /// Whether the columns' names say that it closes.
    named_closing: bool,
    /// A price column per side, home or over first.
    columns: Vec<usize>,
    /// The column of the home side's handicap.
    handicap: Option<usize>,
}

impl Offer {
    /// Reads the sides of this market from one row.
    pub(super) fn sides<'a>(&self, record: &'a StringRecord) -> Result<Vec<Side<'a>>, &'static str> {
        let prices = self.columns.iter().map(|index| optional(record, Some(*index)));
        let sides = match self.market {
            Market::Moneyline => {
                [Selection::Home, Selection::Draw, Selection::Away].map(|side| (side, None)).to_vec()
            }
            Market::Total => {
                let points = Points::from_f64(TOTAL);
                vec![(Selection::Over, points), (Selection::Under, points)]
            }
            Market::Spread => {
                if prices.clone().all(|price| price.is_none()) {
                    return Ok(Vec::new());
                }
                let handicap = optional(record, self.handicap).ok_or("a price stands without its points")?;
                let home = quote::points(handicap).ok_or("points are no multiple of a quarter")?;
                vec![(Selection::Home, Some(home)), (Selection::Away, Some(-home))]
            }
        };
        Ok(sides
            .into_iter()
            .zip(prices)
            .map(|((selection, points), price)| (selection, points, price))
            .collect())
    }
}

/// Finds every book's markets among a season's columns, in the columns' order.
///
/// Where `all_close`, prices whose columns do not say that they close do so too, and come after those that say it.
pub(super) fn offers(table: &Table, all_close: bool) -> Vec<Offer> {
    let layouts: [(Market, &[&str]); 3] = [
        (Market::Moneyline, &["H", "D", "A"]),
        (Market::Total, &[">2.5", "<2.5"]),
        (Market::Spread, &["AHH", "AHA"]),
    ];
    let mut offers = Vec::new();
    for (market, endings) in layouts {
        let prefixes: Vec<(&str, Vec<usize>)> = table
            .header
            .iter()
            .filter_map(|column| column.strip_suffix(endings[0]).filter(|prefix| !prefix.is_empty()))
            .filter_map(|prefix| {
                let columns = endings.iter().map(|ending| table.column(&format!("{prefix}{ending}")));
                columns.collect::<Option<Vec<_>>>().map(|columns| (prefix, columns))
            })
            .collect();
        for (prefix, columns) in &prefixes {
            let open = prefix.strip_suffix('C').filter(|open| {
                is_known(open) || is_aggregate(open) || prefixes.iter().any(|(other, _)| other == open)
            });
            let base = open.unwrap_or(prefix);
            if BEST.contains(&base) {
                continue;
            }
            let shared = match open {
                Some(_) => "AHCh",
                None if base == "BbAv" => "BbAHh",
                None => "AHh",
            };
            offers.push(Offer {
                book: book(base),
                market,
                is_closing: open.is_some() || all_close,
                named_closing: open.is_some(),
                columns: columns.clone(),
                handicap: table.column(&format!("{prefix}AH")).or_else(|| table.column(shared)),
            });
        }
    }
    if all_close {
        offers.sort_by_key(|offer| !offer.named_closing);
    }
    offers
}

/// Totals and handicaps call Pinnacle `P`, the moneyline `PS`.
fn canonical(prefix: &str) -> &str {
    if prefix == "P" { "PS" } else { prefix }
}

fn is_known(prefix: &str) -> bool {
    BOOKS.iter().any(|(known, _)| *known == canonical(prefix))
}

fn is_aggregate(prefix: &str) -> bool {
    BEST.contains(&prefix) || MEAN.contains(&prefix)
}

fn book(prefix: &str) -> Name {
    if MEAN.contains(&prefix) {
        return AVERAGE.into();
    }
    BOOKS.iter().find(|(known, _)| *known == canonical(prefix)).map_or(prefix, |(_, name)| name).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Payload;

    fn found(header: &str) -> Vec<String> {
        found_in(header, false)
    }

    fn found_in(header: &str, all_close: bool) -> Vec<String> {
        let payload = Payload::new("x.csv", "csv", header);
        let table = Table::read(&payload, "test", &[]).unwrap();
        let closing = |offer: &Offer| if offer.is_closing { " closing" } else { "" };
        offers(&table, all_close)
            .iter()
            .map(|offer| format!("{} {}{}", offer.book, offer.market, closing(offer)))
            .collect()
    }

    #[test]
    fn books_are_found_by_name_and_of_aggregates_only_the_average() {
        let header = "HS,AS,HC,AC,VCH,VCD,VCA,PSCH,PSCD,PSCA,VCCH,VCCD,VCCA,MaxH,MaxD,MaxA,AvgCH,AvgCD,AvgCA,NewH,NewD,NewA";
        assert_eq!(
            found(header),
            [
                "betvictor moneyline",
                "pinnacle moneyline closing",
                "betvictor moneyline closing",
                "average moneyline closing",
                "New moneyline"
            ]
        );
    }

    #[test]
    fn totals_and_handicaps_of_real_books_are_found() {
        let header = "P>2.5,P<2.5,Avg>2.5,Avg<2.5,PC>2.5,PC<2.5,AHh,PAHH,PAHA,GBAHH,GBAHA,GBAH,AHCh,B365CAHH,B365CAHA,BbMxAHH,BbMxAHA";
        assert_eq!(
            found(header),
            [
                "pinnacle total",
                "average total",
                "pinnacle total closing",
                "pinnacle spread",
                "gamebookers spread",
                "bet365 spread closing"
            ]
        );
    }

    #[test]
    fn averages_over_the_books_of_older_seasons_are_found() {
        let header =
            "BbMxH,BbMxD,BbMxA,BbAvH,BbAvD,BbAvA,BbAv>2.5,BbAv<2.5,BbAHh,BbMxAHH,BbMxAHA,BbAvAHH,BbAvAHA";
        assert_eq!(found(header), ["average moneyline", "average total", "average spread"]);
    }

    #[test]
    fn where_all_prices_close_those_that_say_so_come_first() {
        let header = "PH,PD,PA,AvgH,AvgD,AvgA,PSCH,PSCD,PSCA,BFECH,BFECD,BFECA";
        assert_eq!(
            found_in(header, true),
            [
                "pinnacle moneyline closing",
                "betfair_exchange moneyline closing",
                "pinnacle moneyline closing",
                "average moneyline closing"
            ]
        );
    }
}

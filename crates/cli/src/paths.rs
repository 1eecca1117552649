//! Names every artefact in the store, so that no path is built by hand.

use std::fmt;

use jiff::civil::Date;

/// One artefact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key<'a> {
    /// True chances of a demo league's games; judges forecasts, feeds none.
    Truth(&'a str),
    /// Graph as of an instant, by the instant's name.
    Graph(&'a str),
    /// What the graph file beside it is.
    GraphCard(&'a str),
    /// Weights of a version.
    Model(&'a str),
    /// Settings, scores and card of a version.
    ModelCard(&'a str),
    /// Held-out forecasts of a version.
    HeldOut(&'a str),
    /// The champion's weights.
    Best,
    /// The champion's card: version, sha256, metrics, data as-of, commit.
    BestCard,
    /// Every promotion, one JSON line each.
    Promotions,
    /// What was learnt of the lenses' weights, one JSON line each week.
    LensWeights,
    /// The ledger.
    Ledger,
    /// Where the ledger ended when it was last written.
    LedgerHead,
    /// A night's report.
    Report(Date),
    /// A night's mail, when there is no server.
    Mail(Date),
    /// What the report was rendered from.
    ReportData(Date),
    /// What a game's page states, by the night's date and the game's id.
    GameFacts(Date, &'a str),
    /// A backtest's page, by its name.
    Backtest(&'a str),
    /// Who has been sent what.
    SendLog,
    /// Who has been told what.
    NoticeLog,
}

impl fmt::Display for Key<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truth(league) => write!(f, "data/truth/{league}.csv"),
            Self::Graph(name) => write!(f, "data/graph_cache/{name}.pt"),
            Self::GraphCard(name) => write!(f, "data/graph_cache/{name}.json"),
            Self::Model(version) => write!(f, "models/{version}/model.pt"),
            Self::ModelCard(version) => write!(f, "models/{version}/model.json"),
            Self::HeldOut(version) => write!(f, "models/{version}/held_out.json"),
            Self::Best => write!(f, "models/best.pt"),
            Self::BestCard => write!(f, "models/best.json"),
            Self::Promotions => write!(f, "models/promotions.jsonl"),
            Self::LensWeights => write!(f, "models/lens_weights.jsonl"),
            Self::Ledger => write!(f, "reports/ledger.csv"),
            Self::LedgerHead => write!(f, "reports/ledger.head.json"),
            Self::Report(date) => write!(f, "reports/daily_report_{date}.html"),
            Self::Mail(date) => write!(f, "reports/daily_report_{date}.eml"),
            Self::ReportData(date) => write!(f, "reports/data/{date}.json"),
            Self::GameFacts(date, game) => write!(f, "reports/games/{date}/{game}.json"),
            Self::Backtest(name) => write!(f, "reports/backtest_{name}.html"),
            Self::SendLog => write!(f, "reports/sent.jsonl"),
            Self::NoticeLog => write!(f, "reports/notices.jsonl"),
        }
    }
}

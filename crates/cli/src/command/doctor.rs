//! `edge doctor`: what is there, what is missing, what to do about it.

use serde::Serialize;

use crate::{
    args::DoctorArgs, context::Context, exit::Status, leagues, night, notices, paths::Key, table::table,
};

/// One thing looked at.
#[derive(Debug, Serialize)]
struct Finding {
    what: &'static str,
    state: State,
    says: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Good,
    /// Optional, or not there yet.
    Note,
    Bad,
}

impl State {
    fn mark(self) -> &'static str {
        match self {
            Self::Good => "ok",
            Self::Note => "note",
            Self::Bad => "BAD",
        }
    }
}

pub(crate) fn run(args: &DoctorArgs, context: &Context) -> anyhow::Result<Status> {
    let mut findings = vec![settings(context), libtorch(), device(context), store(context)];
    findings.extend(data(context));
    findings.extend(contracts(context));
    findings.extend([model(context), ledger(context), mail(context), channels(context), endpoint(context)]);
    if args.json {
        context.print_json(&findings)?;
    } else {
        let mut shown = table(&["", "what", "says"]);
        for finding in &findings {
            shown.add_row([finding.state.mark(), finding.what, &finding.says]);
        }
        context.print(&shown.to_string())?;
    }
    let bad = findings.iter().any(|finding| finding.state == State::Bad);
    Ok(if bad { Status::Failed } else { Status::Done })
}

fn good(what: &'static str, says: impl Into<String>) -> Finding {
    Finding { what, state: State::Good, says: says.into() }
}

fn note(what: &'static str, says: impl Into<String>) -> Finding {
    Finding { what, state: State::Note, says: says.into() }
}

fn bad(what: &'static str, says: impl Into<String>) -> Finding {
    Finding { what, state: State::Bad, says: says.into() }
}

fn settings(context: &Context) -> Finding {
    let file = context.config.as_deref().unwrap_or(std::path::Path::new("edge.toml"));
    if !file.exists() {
        return note("settings", "no edge.toml here, so the demo league runs; `edge init` writes one");
    }
    let told =
        |league: &crate::settings::LeagueSettings| format!("{} ({})", league.id, league.source.as_str());
    let leagues: Vec<String> = context.settings.leagues().iter().map(told).collect();
    good("settings", format!("{}: leagues {}", file.display(), leagues.join(", ")))
}

fn libtorch() -> Finding {
    good("libtorch", format!("{} is linked", model::LIBTORCH_VERSION))
}

fn device(context: &Context) -> Finding {
    match model::device_name(context.settings.model.device) {
        Ok(name) => good("device", name),
        Err(error) => bad("device", error.to_string()),
    }
}

fn store(context: &Context) -> Finding {
    let probe = "doctor.probe";
    let tried = context.store().and_then(|store| {
        store.put(probe, b"written by edge doctor")?;
        store.delete(probe)?;
        Ok(store.root().to_owned())
    });
    match tried {
        Ok(root) => good("store", format!("{root} can be written")),
        Err(error) => bad("store", format!("{error:#}")),
    }
}

/// One finding per league: does its source answer, and how fresh are its rows?
fn data(context: &Context) -> Vec<Finding> {
    let fresh = |league: &data::League| -> anyhow::Result<Option<data::Freshness>> {
        let freshness = context.lake()?.freshness(std::slice::from_ref(league), context.now)?;
        Ok(freshness.into_iter().next())
    };
    let leagues = match leagues::leagues(&context.settings) {
        Ok(leagues) => leagues,
        Err(error) => return vec![bad("league", format!("{error:#}"))],
    };
    leagues
        .iter()
        .map(|league| {
            let id = &league.id;
            match fresh(league) {
                Ok(Some(fresh)) => good("league", format!("{id}: {}", told(&fresh))),
                Ok(None) | Err(_) => note("league", format!("{id}: nothing fetched yet; run `edge fetch`")),
            }
        })
        .collect()
}

/// Contracts that feeds broke in the pulls of the last week, and games that wait for their result.
fn contracts(context: &Context) -> Vec<Finding> {
    let look = || -> anyhow::Result<Vec<data::Finding>> {
        let lake = context.lake()?;
        let today = context.now.to_zoned(jiff::tz::TimeZone::UTC).date();
        let mut broken = lake.findings(today.saturating_sub(jiff::Span::new().days(7)), today)?;
        for league in leagues::leagues(&context.settings)? {
            broken.extend(lake.overdue(&league, context.now)?);
        }
        Ok(broken)
    };
    let say = |broken: data::Finding| {
        let says = format!("{}: {broken}", broken.league);
        if broken.level == data::Level::File { bad("feed", says) } else { note("feed", says) }
    };
    match look() {
        Ok(broken) => broken.into_iter().map(say).collect(),
        Err(error) => vec![bad("feed", format!("{error:#}"))],
    }
}

fn told(fresh: &data::Freshness) -> String {
    let day = |instant: Option<market::Timestamp>| {
        instant.map_or_else(|| "never".to_owned(), |instant| instant.strftime("%Y-%m-%d %H:%M").to_string())
    };
    format!(
        "{} lines (newest {}), {} results (newest {})",
        fresh.lines,
        day(fresh.newest_line),
        fresh.results,
        day(fresh.newest_result)
    )
}

fn model(context: &Context) -> Finding {
    let read = || -> anyhow::Result<Option<String>> {
        let store = context.store()?;
        if !store.exists(&Key::BestCard.to_string())? && !store.exists(&Key::Best.to_string())? {
            return Ok(None);
        }
        let ensemble = night::published(store)?;
        let card = ensemble.card();
        Ok(Some(format!("{} with data as of {}", card.version, card.data_as_of)))
    };
    match read() {
        Ok(Some(says)) => good("model", says),
        Ok(None) => note("model", format!("no {} yet; run `edge train` or `edge nightly`", Key::Best)),
        Err(error) => bad("model", format!("{error:#}")),
    }
}

fn ledger(context: &Context) -> Finding {
    match night::verify_ledger(context) {
        Ok(told) => good("ledger", told),
        Err(error) => bad("ledger", format!("{error:#}")),
    }
}

fn mail(context: &Context) -> Finding {
    match (context.variable("SMTP_URL"), context.variable("SMTP_TO")) {
        (None, _) => note("mail", "SMTP_URL is not set: reports lie as .eml beside the page"),
        (Some(_), None) => bad("mail", "SMTP_URL is set but SMTP_TO is not: name the recipients"),
        (Some(url), Some(_)) => match (night::server(context, url), night::signing(context)) {
            (Ok(url), Ok(None)) => good("mail", format!("by {url}")),
            (Ok(url), Ok(Some(signing))) => {
                good("mail", format!("by {url}, signed by {}", signing.record_name()))
            }
            (Err(error), _) | (_, Err(error)) => bad("mail", format!("{error:#}")),
        },
    }
}

fn channels(context: &Context) -> Finding {
    match notices::channels(context) {
        Ok(channels) if channels.is_empty() => note("notices", "no channel is configured: docs/notices.md"),
        Ok(channels) => {
            let named = channels.iter().map(|channel| format!("{} ({})", channel.name(), channel.host()));
            good("notices", named.collect::<Vec<_>>().join(", "))
        }
        Err(error) => bad("notices", format!("{error:#}")),
    }
}

fn endpoint(context: &Context) -> Finding {
    let Some(url) = context.variable("PREDICT_URL") else {
        return note("endpoint", "PREDICT_URL is not set: predictions are made in this process");
    };
    let healthy = super::listening::client(context, url, None).and_then(|client| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(client.health())?;
        Ok(client.host().to_owned())
    });
    match healthy {
        Ok(host) => good("endpoint", format!("{host} answers")),
        Err(error) => bad("endpoint", format!("{error:#}")),
    }
}

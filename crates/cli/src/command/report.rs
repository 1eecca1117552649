//! `edge report`: writes a night's page again from what was stored, and sends it.

use jiff::civil::Date;

use crate::{
    args::ReportArgs,
    context::{Context, say},
    exit::Status,
    night,
};

pub(crate) fn run(args: &ReportArgs, context: &Context) -> anyhow::Result<Status> {
    let date = match args.date {
        Some(date) => date,
        None => latest(context)?,
    };
    let key = night::write_page(context, &night::stored(context, date)?)?;
    context.print(&format!("{}/{key}", context.store()?.root()))?;
    if args.send {
        let to = args.to.as_deref().map_or_else(|| night::configured(context), night::addresses);
        say(&format!("edge: {}", night::mail(context, date, &to)?));
    }
    Ok(Status::Done)
}

fn latest(context: &Context) -> anyhow::Result<Date> {
    let prefix = "reports/data";
    let dates = context
        .store()?
        .list(prefix)?
        .into_iter()
        .filter_map(|path| path.rsplit('/').next()?.strip_suffix(".json")?.parse().ok());
    dates.max().ok_or_else(|| anyhow::anyhow!("there is no report yet: run `edge nightly` first"))
}

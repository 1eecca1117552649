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
    let data = night::stored(context, date)?;
    // Whoever asks for the page now wants to know of a mistake in a template, not to have it passed over.
    night::render_strictly(context, &data)?;
    let key = night::write_page(context, &data)?;
    context.print(&format!("{}/{key}", context.store()?.root()))?;
    if args.send {
        let to = args.to.as_deref().map_or_else(|| night::configured(context), night::addresses);
        say(&format!("edge: {}", night::mail(context, date, &to)?));
    }
    Ok(Status::Done)
}

fn latest(context: &Context) -> anyhow::Result<Date> {
    let dates = night::report_dates(context)?.into_iter();
    dates.max().ok_or_else(|| anyhow::anyhow!("there is no report yet: run `edge nightly` first"))
}

//! The report rendered with the user's own templates, where there are any that work.

use std::path::Path;

use report::{Rendered, ReportData, ReportError, Templates, input::FailedTask};

use crate::context::{Context, say};

/// Renders with the templates of `report.templates`.
///
/// # Errors
/// A mistake in a template, with its file and line.
pub(crate) fn render_strictly(context: &Context, data: &ReportData) -> Result<Rendered, ReportError> {
    match &context.settings.report.templates {
        Some(folder) => Templates::with_overrides(Path::new(folder))?.render(data),
        None => report::render(data),
    }
}

/// Renders with the user's templates, or with the built-in ones when those have a mistake: the night is worth more than
/// its dress. The report of a night says so, see [`mistake`].
pub(super) fn render(context: &Context, data: &ReportData) -> Result<Rendered, ReportError> {
    render_strictly(context, data).or_else(|error| {
        if context.settings.report.templates.is_none() {
            return Err(error);
        }
        say(&format!("edge: {error}"));
        report::render(data)
    })
}

/// Returns what is wrong with the user's templates, as the report tells it.
pub(super) fn mistake(context: &Context, data: &ReportData) -> Option<FailedTask> {
    context.settings.report.templates.as_ref()?;
    let error = render_strictly(context, data).err()?;
    Some(FailedTask {
        task: "templates".to_owned(),
        error: error.to_string(),
        used_instead: Some("the built-in templates".to_owned()),
    })
}

//! What is missing, in words.

use serde::Serialize;

use super::{input::ProblemPage, pen::sentence};
use crate::format;

#[derive(Debug, Serialize)]
pub(super) struct ProblemView {
    status: u16,
    title: String,
    detail: String,
    command: Option<String>,
}

pub(super) fn view(page: &ProblemPage) -> ProblemView {
    ProblemView {
        status: page.status,
        title: format::name(&page.title),
        detail: sentence(&page.detail),
        command: page.command.as_deref().map(sentence),
    }
}

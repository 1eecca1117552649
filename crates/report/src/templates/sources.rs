//! Templates as parsed: the built-in ones, each replaced by the user's file of its name where there is one.

use std::path::{Path, PathBuf};

use serde::Serialize;
use tera::{Context, ErrorKind, Tera};

use crate::ReportError;

/// Name and text of a file inside the program.
pub(super) type Embedded = (&'static str, &'static str);

/// Files by name.
#[derive(Debug)]
pub(super) struct Sources {
    files: Vec<(&'static str, String)>,
    folder: Option<PathBuf>,
    replaced: Vec<String>,
}

impl Sources {
    pub(super) fn built_in(embedded: &[Embedded]) -> Self {
        let files = embedded.iter().map(|(name, text)| (*name, (*text).to_owned())).collect();
        Self { files, folder: None, replaced: Vec::new() }
    }

    /// Replaces what `folder` has a file of; a file with a known ending and an unknown name is an error.
    pub(super) fn with_overrides(embedded: &[Embedded], folder: &Path) -> Result<Self, ReportError> {
        let unreadable = |path: &Path| {
            let path = path.to_owned();
            move |source| ReportError::Folder { path, source }
        };
        let mut sources = Self { folder: Some(folder.to_owned()), ..Self::built_in(embedded) };
        for entry in std::fs::read_dir(folder).map_err(unreadable(folder))? {
            let path = entry.map_err(unreadable(folder))?.path();
            let ending = path.extension().and_then(|text| text.to_str()).unwrap_or_default();
            if !["html", "css", "js", "svg"].contains(&ending) {
                continue;
            }
            let is_its = |name: &str| path.file_name().is_some_and(|file| file == name);
            let Some((name, text)) = sources.files.iter_mut().find(|(name, _)| is_its(name)) else {
                let known: Vec<&str> = embedded.iter().map(|(name, _)| *name).collect();
                return Err(ReportError::UnknownTemplate { path, known: known.join(", ") });
            };
            *text = std::fs::read_to_string(&path).map_err(unreadable(&path))?;
            sources.replaced.push((*name).to_owned());
        }
        Ok(sources)
    }

    /// Takes a file out that is served as it is.
    pub(super) fn take(&mut self, name: &str) -> Option<String> {
        let place = self.files.iter().position(|(file, _)| *file == name)?;
        Some(self.files.swap_remove(place).1)
    }

    /// Parses what is left as templates.
    pub(super) fn parse(self) -> Result<Parsed, ReportError> {
        let mut parsed = Parsed { tera: Tera::new(), folder: self.folder, replaced: self.replaced };
        let outcome = parsed.tera.add_raw_templates(self.files);
        outcome.map_err(|error| parsed.place(error))?;
        Ok(parsed)
    }
}

/// Templates that can be rendered.
#[derive(Debug)]
pub(super) struct Parsed {
    tera: Tera,
    folder: Option<PathBuf>,
    replaced: Vec<String>,
}

impl Parsed {
    pub(super) fn render(&self, name: &str, facts: &impl Serialize) -> Result<String, ReportError> {
        let context = Context::from_serialize(facts).map_err(|error| self.place(error))?;
        self.tera.render(name, &context).map_err(|error| self.place(error))
    }

    /// Names file and line of a template's mistake.
    fn place(&self, error: tera::Error) -> ReportError {
        let (ErrorKind::SyntaxError(report) | ErrorKind::RenderingError(report)) = error.kind() else {
            return ReportError::Render(Box::new(error));
        };
        let name = report.filename();
        let own = self.folder.as_ref().filter(|_| self.replaced.iter().any(|replaced| replaced == name));
        let file = own.map_or_else(|| name.to_owned(), |folder| folder.join(name).display().to_string());
        ReportError::Template { file, line: report.span().start_line, message: report.message().to_owned() }
    }
}

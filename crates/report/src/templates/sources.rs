//! Templates as parsed: the built-in ones, each replaced by the user's file of its name where there is one.

use std::{
    io,
    path::{Path, PathBuf},
};

use serde::Serialize;
use tera::{Context, ErrorKind, Tera};

use super::ReportError;
use crate::{
    layout,
    words::{self, Language},
};

/// Endings of the files that are taken for templates; what else lies in the user's folder is left alone.
const ENDINGS: [&str; 6] = ["html", "mjml", "txt", "css", "js", "svg"];

/// What is written into these is escaped.
const ESCAPED: [&str; 2] = [".html", ".mjml"];

/// Name and text of a file inside the program.
pub(crate) type Embedded = (&'static str, &'static str);

/// Files by name.
#[derive(Debug)]
pub(crate) struct Sources {
    files: Vec<(&'static str, String)>,
    folder: Option<PathBuf>,
    replaced: Vec<&'static str>,
}

impl Sources {
    pub(crate) fn built_in(embedded: &[Embedded]) -> Self {
        let files = embedded.iter().map(|(name, text)| (*name, (*text).to_owned())).collect();
        Self { files, folder: None, replaced: Vec::new() }
    }

    /// Replaces what `folder` has a file of; a file with a template's ending and an unknown name is an error.
    pub(crate) fn with_overrides(embedded: &[Embedded], folder: &Path) -> Result<Self, ReportError> {
        let mut sources = Self { folder: Some(folder.to_owned()), ..Self::built_in(embedded) };
        for entry in std::fs::read_dir(folder).map_err(unreadable(folder))? {
            let path = entry.map_err(unreadable(folder))?.path();
            let ending = path.extension().and_then(|text| text.to_str()).unwrap_or_default();
            if !ENDINGS.contains(&ending) {
                continue;
            }
            let is_its = |name: &str| path.file_name().is_some_and(|file| file == name);
            let Some((name, text)) = sources.files.iter_mut().find(|(name, _)| is_its(name)) else {
                let known: Vec<&str> = embedded.iter().map(|(name, _)| *name).collect();
                return Err(ReportError::UnknownTemplate { path, known: known.join(", ") });
            };
            *text = std::fs::read_to_string(&path).map_err(unreadable(&path))?;
            sources.replaced.push(name);
        }
        Ok(sources)
    }

    /// Takes a file out that is served as it is.
    pub(crate) fn take(&mut self, name: &str) -> Option<String> {
        let place = self.files.iter().position(|(file, _)| *file == name)?;
        Some(self.files.swap_remove(place).1)
    }

    /// Parses what is left as templates.
    pub(crate) fn parse(self) -> Result<Parsed, ReportError> {
        let is_own = |(name, _): &&(&str, String)| self.replaced.contains(name);
        let own = self.files.iter().filter(is_own).cloned().collect();
        let mut parsed = Parsed { teras: Vec::new(), folder: self.folder, own };
        let mut tera = Tera::new();
        layout::register_padding(&mut tera);
        words::register(&mut tera, Language::English);
        tera.autoescape_on(ESCAPED);
        tera.add_raw_templates(self.files).map_err(|error| parsed.place(error))?;
        parsed.teras.extend(Language::ALL.map(|language| {
            let mut tera = tera.clone();
            words::register(&mut tera, language);
            (language, tera)
        }));
        Ok(parsed)
    }
}

fn unreadable(path: &Path) -> impl FnOnce(io::Error) -> ReportError + use<> {
    let path = path.to_owned();
    move |source| ReportError::Folder { path, source }
}

/// Templates that can be rendered.
#[derive(Debug)]
pub(crate) struct Parsed {
    /// The templates with the words of each language.
    teras: Vec<(Language, Tera)>,
    folder: Option<PathBuf>,
    own: Vec<(&'static str, String)>,
}

impl Parsed {
    /// Renders a template with English words.
    pub(crate) fn render(&self, name: &str, facts: &impl Serialize) -> Result<String, ReportError> {
        self.render_in(Language::English, name, facts)
    }

    /// Renders a template with the words of a language.
    pub(crate) fn render_in(
        &self,
        language: Language,
        name: &str,
        facts: &impl Serialize,
    ) -> Result<String, ReportError> {
        let context = Context::from_serialize(facts).map_err(|error| self.place(error))?;
        let own = self.teras.iter().find(|(of, _)| *of == language);
        let (_, tera) = own.ok_or_else(|| ReportError::Render("the language has no templates".into()))?;
        tera.render(name, &context).map_err(|error| self.place(error))
    }

    /// Returns name and text of each template that is the user's own.
    pub(crate) fn own(&self) -> &[(&'static str, String)] {
        &self.own
    }

    /// Returns where a template is to be opened: with its folder when it is the user's own.
    pub(crate) fn path_of(&self, name: &str) -> String {
        let folder = self.folder.as_ref().filter(|_| self.own.iter().any(|(own, _)| *own == name));
        folder.map_or_else(|| name.to_owned(), |folder| folder.join(name).display().to_string())
    }

    /// Names file and line of a template's mistake.
    fn place(&self, error: tera::Error) -> ReportError {
        let (ErrorKind::SyntaxError(report) | ErrorKind::RenderingError(report)) = error.kind() else {
            return ReportError::Render(Box::new(error));
        };
        let file = self.path_of(report.filename());
        ReportError::Template { file, line: report.span().start_line, message: report.message().to_owned() }
    }
}

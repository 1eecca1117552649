//! The fixed words of the report, by language: English, and German.
//!
//! The catalogues are Fluent files inside the program. Numbers, amounts and days are written by the
//! [`Locale`](crate::Locale) before they are put into a sentence. A message that a catalogue lacks is
//! taken from the English one.

use std::sync::LazyLock;

use fluent_bundle::{FluentArgs, FluentResource, concurrent::FluentBundle};
use tera::{Kwargs, State, Tera, TeraResult};

type Catalogue = FluentBundle<FluentResource>;

/// A language that the report's words are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Language {
    /// Also for every language without a catalogue.
    #[default]
    English,
    German,
}

static ENGLISH: LazyLock<Catalogue> = LazyLock::new(|| catalogue("en", include_str!("../locales/en.ftl")));
static GERMAN: LazyLock<Catalogue> = LazyLock::new(|| catalogue("de", include_str!("../locales/de.ftl")));

fn catalogue(language: &str, text: &str) -> Catalogue {
    let mut catalogue = FluentBundle::new_concurrent(vec![language.parse().unwrap_or_default()]);
    // The templates isolate names themselves, and the plain text stays plain.
    catalogue.set_use_isolating(false);
    // What can be read of a catalogue with a mistake is taken; a test holds that there is none.
    let resource = FluentResource::try_new(text.to_owned()).unwrap_or_else(|(part, _)| part);
    catalogue.add_resource_overriding(resource);
    catalogue
}

impl Language {
    pub(crate) const ALL: [Self; 2] = [Self::English, Self::German];

    /// Returns the language of a tag's first part.
    pub(crate) fn of(language: &str) -> Self {
        if language == "de" { Self::German } else { Self::English }
    }

    /// Returns the tag for `lang` in HTML.
    pub(crate) fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }

    /// Says a message; none when no catalogue has it.
    pub(crate) fn say(self, key: &str, values: &FluentArgs<'_>) -> Option<String> {
        let own = match self {
            Self::English => None,
            Self::German => message(&GERMAN, key, values),
        };
        own.or_else(|| message(&ENGLISH, key, values))
    }
}

fn message(catalogue: &Catalogue, key: &str, values: &FluentArgs<'_>) -> Option<String> {
    let message = catalogue.get_message(key)?;
    let mut faults = Vec::new();
    Some(catalogue.format_pattern(message.value()?, Some(values), &mut faults).into_owned())
}

/// Registers what the templates need for words: `t(key="...", name=...)` says a message, `is_translated()`
/// tells whether the report is in another language than what comes from outside.
pub(crate) fn register(tera: &mut Tera, language: Language) {
    tera.register_function("t", move |options: Kwargs, _: &State<'_>| -> TeraResult<String> {
        let key: String = options.must_get("key")?;
        let mut values = FluentArgs::new();
        for (name, value) in options.iter() {
            let name = name.to_string();
            match value.as_i64() {
                Some(number) => values.set(name, number),
                None => values.set(name, value.as_str().unwrap_or_default().to_owned()),
            }
        }
        let missing = || tera::Error::message(format!("no message is called `{key}`"));
        language.say(&key, &values).ok_or_else(missing)
    });
    tera.register_function("is_translated", move |_: Kwargs, _: &State<'_>| language != Language::English);
}

/// A sentence that goes on, or ends, in words from outside; those stay as they were written.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Said {
    /// Our own words.
    pub(crate) says: String,
    /// What follows them, in English; empty when nothing does.
    pub(crate) foreign: String,
}

impl Said {
    pub(crate) fn ours(says: String) -> Self {
        Self { says, foreign: String::new() }
    }

    /// Puts both together, without a full stop after the words from outside.
    pub(crate) fn whole(&self) -> String {
        if self.foreign.is_empty() { self.says.clone() } else { format!("{} {}", self.says, self.foreign) }
    }
}

#[cfg(test)]
mod tests;

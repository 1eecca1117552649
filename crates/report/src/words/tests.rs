use std::collections::{BTreeMap, BTreeSet};

use fluent_syntax::{ast, parser};

use super::*;

const ENGLISH_TEXT: &str = include_str!("../../locales/en.ftl");
const GERMAN_TEXT: &str = include_str!("../../locales/de.ftl");

/// Variables of each message.
fn messages(text: &str) -> BTreeMap<String, BTreeSet<String>> {
    let resource = parser::parse(text).map_err(|(_, faults)| faults).unwrap();
    let entries = resource.body.iter().filter_map(|entry| match entry {
        ast::Entry::Message(message) => Some((message.id.name.to_owned(), message.value.clone().unwrap())),
        _ => None,
    });
    entries.map(|(id, pattern)| (id, variables(&pattern))).collect()
}

fn variables(pattern: &ast::Pattern<&str>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for element in &pattern.elements {
        let ast::PatternElement::Placeable { expression } = element else { continue };
        match expression {
            ast::Expression::Inline(inline) => found.extend(variable(inline)),
            ast::Expression::Select { selector, variants } => {
                found.extend(variable(selector));
                found.extend(variants.iter().flat_map(|variant| variables(&variant.value)));
            }
        }
    }
    found
}

fn variable(inline: &ast::InlineExpression<&str>) -> Option<String> {
    match inline {
        ast::InlineExpression::VariableReference { id } => Some(id.name.to_owned()),
        _ => None,
    }
}

#[test]
fn both_catalogues_have_the_same_messages_with_the_same_variables() {
    let (english, german) = (messages(ENGLISH_TEXT), messages(GERMAN_TEXT));
    let lines = ENGLISH_TEXT.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase()));
    assert_eq!(english.len(), lines.count(), "no message stands twice");
    for (id, names) in &english {
        let theirs = german.get(id).unwrap_or_else(|| panic!("{id} is not in German"));
        // A plural needs its number only where the language bends the word.
        let needed = |names: &BTreeSet<String>| -> BTreeSet<String> {
            names.iter().filter(|name| !(id.starts_with("noun-") && *name == "n")).cloned().collect()
        };
        assert_eq!(needed(names), needed(theirs), "{id}");
    }
    assert_eq!(english.len(), german.len());
}

#[test]
fn every_message_that_a_template_or_the_program_says_is_there() {
    let english = messages(ENGLISH_TEXT);
    let mut said = BTreeSet::new();
    let mut files: Vec<std::path::PathBuf> = vec!["templates".into(), "src".into()];
    while let Some(path) = files.pop() {
        if path.is_dir() {
            files.extend(std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        for before in ["t(key=\"", "what=\"", "way.say(\"", "way.say_with(\"", "self.say(\""] {
            let keys = text.split(before).skip(1).filter_map(|after| after.split('"').next());
            said.extend(keys.map(|key| (key.to_owned(), path.clone())));
        }
    }
    assert!(said.len() > 100, "the test finds them");
    let is_key = |key: &str| {
        !key.is_empty() && key.chars().all(|c| c.is_ascii_lowercase() || c == '-' || c.is_ascii_digit())
    };
    for (key, path) in said.iter().filter(|(key, path)| {
        is_key(key) && !path.starts_with("src/words") && !path.starts_with("templates/pages")
    }) {
        assert!(english.contains_key(key), "{key} of {}", path.display());
    }
}

#[test]
fn a_plural_is_that_of_the_language() {
    let said = |language: Language, n: i64| {
        let mut values = FluentArgs::new();
        values.set("n", n);
        language.say("noun-game", &values).unwrap()
    };
    assert_eq!((said(Language::English, 1), said(Language::English, 0)), ("game".into(), "games".into()));
    assert_eq!((said(Language::German, 1), said(Language::German, 2)), ("Spiel".into(), "Spiele".into()));
}

#[test]
fn what_a_catalogue_lacks_is_said_in_english() {
    let lacking = catalogue("de", "none-settled = Keine Wette.");
    let values = FluentArgs::new();
    assert_eq!(message(&lacking, "none-settled", &values).unwrap(), "Keine Wette.");
    assert_eq!(message(&lacking, "no-record", &values), None);
    let english =
        message(&lacking, "no-record", &values).or_else(|| Language::German.say("no-record", &values));
    assert!(english.is_some());
    assert_eq!(Language::German.say("nobody-says-this", &values), None);
}

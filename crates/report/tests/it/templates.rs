//! Templates of the user's own.

use std::fs;

use report::{ReportError, Templates};

use crate::fixture::normal_night;

#[test]
fn a_template_can_be_replaced_by_ones_own() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("report.txt"), "{{ headline }}\n").unwrap();
    fs::write(folder.path().join("notes.md"), "not a template").unwrap();
    let rendered = Templates::with_overrides(folder.path()).unwrap().render(&normal_night()).unwrap();
    assert_eq!(rendered.text, "3 edges tonight, 4.1 % of bankroll at risk\n");
    assert!(rendered.html.starts_with("<!DOCTYPE html>"));
}

#[test]
fn a_mistake_is_named_with_its_file_and_line() {
    let mistakes = [("a\n{% if picks %}\n", 3, "syntax"), ("a\nb\n{{ no_such_thing }}\n", 3, "render")];
    for (template, expected_line, when) in mistakes {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.txt");
        fs::write(&path, template).unwrap();
        let rendered =
            Templates::with_overrides(folder.path()).and_then(|templates| templates.render(&normal_night()));
        let Err(ReportError::Template { file, line, .. }) = &rendered else { panic!("{when}: {rendered:?}") };
        assert_eq!(*file, path.display().to_string(), "{when}");
        assert!((expected_line - 1..=expected_line).contains(line), "{when}: line {line}");
    }
}

#[test]
fn a_template_that_nothing_uses_is_an_error_rather_than_ignored() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("raport.html"), "").unwrap();
    let error = Templates::with_overrides(folder.path()).unwrap_err().to_string();
    assert!(error.contains("raport.html") && error.contains("report.html"), "{error}");
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let error = Templates::with_overrides("no/such/folder".as_ref()).unwrap_err();
    assert_eq!(error.to_string(), "cannot read the templates in no/such/folder");
}

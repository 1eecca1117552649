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
fn a_mistake_in_the_mail_is_named_with_its_file_and_line() {
    let built_in = include_str!("../../templates/mail_tables.mjml");
    let mistakes = [
        (
            built_in.replacen("<mj-text mj-class", "<mj-txt mj-class", 1),
            true,
            "there is no element `<mj-txt>` in MJML",
        ),
        (format!("{built_in}\n</mj-table>"), true, "`<mj-column>` is closed by `</mj-table>`"),
        (format!("{built_in}\n<mj-spacer>"), true, "`<mj-spacer>` is closed by `</mj-column>`"),
        (format!("{built_in}\n<mj-text <b></mj-text>"), true, "not well-formed at `<mj-text <b></mj-text>`"),
        (
            built_in
                .replace("{% if near_misses.rows %}", "<mj-txt></mj-txt>\n<mj-txt></mj-txt>{% if true %}"),
            false,
            "<mj-txt>",
        ),
    ];
    for (template, has_line, told) in mistakes {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mail_tables.mjml");
        fs::write(&path, &template).unwrap();
        let error = Templates::with_overrides(folder.path()).unwrap().render(&normal_night()).unwrap_err();
        let text = error.to_string();
        let ReportError::Mjml { file, line, message } = error else { panic!("{text}") };
        assert_eq!(file, path.display().to_string());
        assert!(message.contains(told), "{message}");
        let marks = ["<mj-txt", "</mj-table>", "<mj-spacer>", "<mj-text <b>"];
        let expected =
            template.lines().zip(1..).find(|(line, _)| marks.iter().any(|mark| line.contains(mark)));
        assert_eq!(line.is_some(), has_line, "{text}");
        assert!(line.is_none() || line == expected.map(|(_, number)| number), "{text}");
    }
}

#[test]
fn names_stay_text_in_a_mail_of_ones_own() {
    let folder = tempfile::tempdir().unwrap();
    let template = "<mjml><mj-body><mj-section><mj-column>{% for notice in notices %}<mj-text>{{ notice }}</mj-text>{% endfor %}</mj-column></mj-section></mj-body></mjml>";
    fs::write(folder.path().join("mail.mjml"), template).unwrap();
    let mut data = normal_night();
    data.failed_tasks[0].used_instead = Some("</mj-text><mj-raw><script>1</script>".to_owned());
    let mail = Templates::with_overrides(folder.path()).unwrap().render(&data).unwrap().mail_html;
    assert!(mail.contains("&lt;/mj-text&gt;&lt;mj-raw&gt;&lt;script&gt;1"), "{mail}");
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

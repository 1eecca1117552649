//! The sample in the repository is what the code makes today.

use std::{fs, path::Path};

use report::{Envelope, Message, render};

use crate::fixture::normal_night;

#[test]
fn the_committed_sample_is_what_is_rendered() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../reports/sample");
    let data = normal_night();
    let rendered = render(&data).unwrap();
    let envelope = Envelope {
        from: "Edge <edge@example.org>".to_owned(),
        to: "reader@example.org".to_owned(),
        run_id: data.date.to_string(),
        sent_at: data.as_of,
        unsubscribe: None,
    };
    let eml = Message::compose(&rendered, &envelope).unwrap().eml();
    let mut files = vec![
        ("report.html", rendered.html.into_bytes()),
        ("report.txt", rendered.text.into_bytes()),
        ("report.eml", eml),
    ];
    files.extend(
        rendered.attachments.iter().map(|picture| (picture.file_name.as_str(), picture.bytes.clone())),
    );
    for (name, bytes) in files {
        let committed = fs::read(folder.join(name)).unwrap_or_default();
        assert!(committed == bytes, "reports/sample/{name} is old: cargo run -p report --example sample");
    }
}

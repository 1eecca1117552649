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
    let files = [
        ("report.html", rendered.html.into_bytes()),
        ("report.txt", rendered.text.into_bytes()),
        ("report.eml", without_pictures(eml)),
    ];
    for (name, bytes) in files {
        let committed = fs::read(folder.join(name)).unwrap_or_default();
        let committed = if name == "report.eml" { without_pictures(committed) } else { committed };
        assert!(committed == bytes, "reports/sample/{name} is old: cargo run -p report --example sample");
    }
    for picture in rendered.attachments {
        let committed = fs::read(folder.join(&picture.file_name)).unwrap();
        assert!(pixels(&committed) == pixels(&picture.bytes), "reports/sample/{} is old", picture.file_name);
    }
}

/// A message up to its first picture: how those are compressed depends on what else is built.
fn without_pictures(mut eml: Vec<u8>) -> Vec<u8> {
    let picture = b"Content-ID:";
    let end = eml.windows(picture.len()).position(|window| window == picture);
    eml.truncate(end.unwrap_or(eml.len()));
    eml
}

fn pixels(png: &[u8]) -> Vec<u8> {
    let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut pixels).unwrap();
    pixels
}

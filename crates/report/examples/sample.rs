//! Writes the sample report so that a human can look at it: `cargo run -p report --example sample [FOLDER]`.

use std::{error::Error, fs, path::PathBuf};

use report::{Attachment, Envelope, Message, ReportData};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).map_or_else(|| PathBuf::from("reports/sample"), PathBuf::from);
    fs::create_dir_all(&folder)?;
    let data: ReportData = serde_json::from_str(include_str!("sample.json"))?;
    let rendered = report::render(&data)?;
    let envelope = Envelope {
        from: "Edge <edge@example.org>".to_owned(),
        to: "reader@example.org".to_owned(),
        run_id: data.date.to_string(),
        sent_at: data.as_of,
        unsubscribe: None,
    };
    fs::write(folder.join("report.html"), &rendered.html)?;
    // A browser knows no content-ids, so the copy to look at names the picture files instead.
    let by_file = |html: String, picture: &Attachment| {
        html.replace(&format!("cid:{}", picture.content_id), &picture.file_name)
    };
    let mail_html = rendered.attachments.iter().fold(rendered.mail_html.clone(), by_file);
    fs::write(folder.join("mail.html"), mail_html)?;
    fs::write(folder.join("report.txt"), &rendered.text)?;
    fs::write(folder.join("report.eml"), Message::compose(&rendered, &envelope)?.eml())?;
    for picture in &rendered.attachments {
        fs::write(folder.join(&picture.file_name), &picture.bytes)?;
    }
    Ok(())
}

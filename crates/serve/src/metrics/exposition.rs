//! The two text formats that Prometheus reads, and which of them a scraper wants.

/// `OpenMetrics` 1.0.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// The text format of Prometheus before that.
const PLAIN: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A content type with the text.
pub type Exposition = (&'static str, String);

/// Turns the text of `OpenMetrics` into what the header `accept` wants more: that, or plain text.
pub(super) fn exposition(text: String, accept: Option<&str>) -> Exposition {
    let accept = accept.unwrap_or("*/*").to_ascii_lowercase();
    let wanted = |kind: &str, family: &str| {
        quality(&accept, kind).or_else(|| quality(&accept, family)).or_else(|| quality(&accept, "*/*"))
    };
    let open = wanted("application/openmetrics-text", "application/*").unwrap_or(0.0);
    let plain = wanted("text/plain", "text/*").unwrap_or(0.0);
    if plain > open { (PLAIN, plain_text(&text)) } else { (OPEN_METRICS, text) }
}

/// Returns the largest weight that a header gives to a media range; none when it is not named.
fn quality(accept: &str, range: &str) -> Option<f64> {
    let qualities = accept.split(',').filter_map(|item| {
        let mut parts = item.split(';').map(str::trim);
        (parts.next() == Some(range)).then_some(())?;
        let weight = parts.find_map(|part| part.strip_prefix("q="));
        Some(weight.and_then(|q| q.parse().ok()).unwrap_or(1.0))
    });
    qualities.reduce(f64::max)
}

/// Names the metrics as the older format does: by the names of their samples, and without the end's mark.
fn plain_text(text: &str) -> String {
    let (mut plain, mut suffix) = (String::with_capacity(text.len()), "");
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let mut words = line.splitn(4, ' ');
        let (hash, kind, name) = (words.next(), words.next(), words.next().unwrap_or_default());
        let rest = words.next().unwrap_or_default();
        match (hash, kind) {
            // The type follows the help and decides how both are called.
            (Some("#"), Some("HELP")) => {
                suffix = lines.peek().map_or("", |next| suffix_of(next));
                plain.extend(["# HELP ", name, suffix, " ", rest, "\n"]);
            }
            (Some("#"), Some("TYPE")) => {
                let told = if rest == "info" { "gauge" } else { rest };
                plain.extend(["# TYPE ", name, suffix, " ", told, "\n"]);
            }
            (Some("#"), _) => {}
            _ => plain.extend([line, "\n"]),
        }
    }
    plain
}

/// Returns what the samples' names have beyond the metric's.
fn suffix_of(type_line: &str) -> &'static str {
    match type_line.rsplit(' ').next() {
        Some("counter") => "_total",
        Some("info") => "_info",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scraper_gets_what_it_wants_more() {
        let open = |accept| exposition("# EOF\n".to_owned(), accept).0.starts_with("application/openmetrics");
        let of_prometheus =
            "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.2,*/*;q=0.1";
        for accept in [None, Some("*/*"), Some(of_prometheus), Some("application/openmetrics-text"), Some("")]
        {
            assert!(open(accept), "{accept:?}");
        }
        for accept in ["text/plain", "TEXT/plain;version=0.0.4;q=0.5,*/*;q=0.1", "text/*"] {
            assert!(!open(Some(accept)), "{accept}");
        }
    }

    #[test]
    fn the_older_format_names_counters_by_their_samples() {
        let text = "# HELP a Tells # a.\n# TYPE a counter\na_total{x=\"1 2\"} 1\n# HELP b_seconds B.\n# TYPE b_seconds gauge\n\
                    # UNIT b_seconds seconds\nb_seconds 2.0\n# HELP m M.\n# TYPE m info\nm_info{v=\"1\"} 1\n# EOF\n";
        let wanted = "# HELP a_total Tells # a.\n# TYPE a_total counter\na_total{x=\"1 2\"} 1\n# HELP b_seconds B.\n# TYPE b_seconds gauge\n\
                      b_seconds 2.0\n# HELP m_info M.\n# TYPE m_info gauge\nm_info{v=\"1\"} 1\n";
        assert_eq!(plain_text(text), wanted);
    }
}

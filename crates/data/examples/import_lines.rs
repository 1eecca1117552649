//! Imports CSV files of line rows and says how fast: `import_lines FILE... --store FOLDER [--keep-raw]`.

#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a program that measures and prints")]

use std::{error::Error, fs, path::PathBuf, time::Instant};

use data::{ImportSettings, Lake, Store};

fn main() -> Result<(), Box<dyn Error>> {
    let mut files = Vec::new();
    let (mut store, mut keep_raw) = (None, false);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--store" => store = arguments.next(),
            "--keep-raw" => keep_raw = true,
            _ => files.push(PathBuf::from(argument)),
        }
    }
    let store = store.ok_or("--store FOLDER is missing")?;
    let started = Instant::now();
    let lake = Lake::new(Store::open(&store)?);
    let settings = ImportSettings { keep_raw, ..ImportSettings::new(jiff::Timestamp::now()) };
    let report = lake.import(&files, &settings, &|_| {})?;
    let seconds = started.elapsed().as_secs_f64();
    let bytes =
        files.iter().map(|file| Ok(fs::metadata(file)?.len())).sum::<Result<u64, std::io::Error>>()?;
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak =
        status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().split(' ').next()?.parse().ok());
    let line = serde_json::json!({
        "engine": "edge",
        "rows_kept": report.stored,
        "seconds": (seconds * 1e3).round() / 1e3,
        "kept_rows_per_second": (report.stored as f64 / seconds).round(),
        "csv_bytes": bytes,
        "peak_rss_mb": peak.map(|kilobytes: u64| kilobytes / 1024),
        "report": report,
    });
    println!("{line}");
    Ok(())
}

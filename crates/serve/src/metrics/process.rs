//! The process itself, under the names that Prometheus' own libraries use, read from `/proc` where it exists.

use std::{fmt::Error, fs};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{MetricType, gauge::ConstGauge},
    registry::Unit,
};

/// Reads the process at every scrape; what the system does not tell is left out.
#[derive(Debug)]
pub(super) struct Process {
    /// Seconds since 1970.
    pub(super) started: i64,
}

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        let mut say = |name: &str, help: &str, unit: Option<Unit>, value: u64| {
            let metric = encoder.encode_descriptor(name, help, unit.as_ref(), MetricType::Gauge)?;
            ConstGauge::new(value).encode(metric)
        };
        let started = u64::try_from(self.started).unwrap_or_default();
        let help = "Start of the process in seconds since 1970.";
        say("process_start_time", help, Some(Unit::Seconds), started)?;
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        if let Some(kibibytes) = line(&status, "VmRSS:") {
            say("process_resident_memory", "Memory in use.", Some(Unit::Bytes), kibibytes * 1024)?;
        }
        if let Some(threads) = line(&status, "Threads:") {
            say("process_threads", "Threads.", None, threads)?;
        }
        if let Ok(open) = fs::read_dir("/proc/self/fd") {
            // One of them is the listing itself.
            say("process_open_fds", "Open file descriptors.", None, (open.count() as u64).saturating_sub(1))?;
        }
        Ok(())
    }
}

/// Returns the number of a line of `/proc/self/status`.
fn line(status: &str, name: &str) -> Option<u64> {
    let rest = status.lines().find_map(|line| line.strip_prefix(name))?;
    rest.split_ascii_whitespace().next()?.parse().ok()
}

//! `[log]` and `[telemetry]`: what the program tells of itself, and to whom.

use reqwest::Url;
use serde::{Deserialize, Serialize};

/// `[log]`; what is logged is said by `-v` and `EDGE_LOG`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct LogSettings {
    pub(crate) format: LogFormat,
}

/// How a line of the log looks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
}

/// `[telemetry]`; what opens the collector's door is `OTEL_EXPORTER_OTLP_HEADERS`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct TelemetrySettings {
    /// Where an OpenTelemetry collector listens; no traces when empty.
    pub(crate) otlp_endpoint: String,
    pub(crate) service_name: String,
    /// Share of traces that are recorded, where the caller has not decided.
    pub(crate) sample_ratio: f64,
}

impl Default for TelemetrySettings {
    fn default() -> Self {
        Self { otlp_endpoint: String::new(), service_name: "edge".to_owned(), sample_ratio: 1.0 }
    }
}

impl TelemetrySettings {
    /// Says what cannot be meant.
    pub(super) fn check(&self) -> Result<(), String> {
        if !(0.0..=1.0).contains(&self.sample_ratio) {
            let told = self.sample_ratio;
            return Err(format!("telemetry.sample_ratio is {told}, it must lie between 0 and 1"));
        }
        if self.service_name.trim().is_empty() {
            return Err("telemetry.service_name must not be empty".to_owned());
        }
        self.traces_url().map(|_| ())
    }

    /// Returns the address that spans are sent to; none when there is no collector.
    ///
    /// The address itself is never repeated in an error: it may hold a password.
    pub(crate) fn traces_url(&self) -> Result<Option<Url>, String> {
        if self.otlp_endpoint.trim().is_empty() {
            return Ok(None);
        }
        let url = Url::parse(self.otlp_endpoint.trim()).ok();
        let url = url.filter(|url| matches!(url.scheme(), "http" | "https") && url.query().is_none());
        let mut url =
            url.ok_or("telemetry.otlp_endpoint is no address: write for instance http://127.0.0.1:4318")?;
        if !url.username().is_empty() || url.password().is_some() {
            let told =
                "telemetry.otlp_endpoint must not hold a password: send it by OTEL_EXPORTER_OTLP_HEADERS";
            return Err(told.to_owned());
        }
        let path = url.path().trim_end_matches('/');
        if !path.ends_with("/v1/traces") {
            url.set_path(&format!("{path}/v1/traces"));
        }
        Ok(Some(url))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(endpoint: &str) -> TelemetrySettings {
        TelemetrySettings { otlp_endpoint: endpoint.to_owned(), ..TelemetrySettings::default() }
    }

    #[test]
    fn spans_go_below_the_address_or_to_it() {
        let url = |endpoint| to(endpoint).traces_url().unwrap().map(|url| url.to_string());
        assert_eq!(url(""), None);
        for endpoint in ["http://c:4318", "http://c:4318/", "http://c:4318/v1/traces"] {
            assert_eq!(url(endpoint).unwrap(), "http://c:4318/v1/traces");
        }
        assert_eq!(url("https://c/otlp").unwrap(), "https://c/otlp/v1/traces");
    }

    #[test]
    fn what_cannot_be_meant_is_refused_without_its_password() {
        for endpoint in
            ["collector:4318", "grpc://c", "http://", "http://me:s3cret@c:4318", "http://c?key=s3cret"]
        {
            let error = to(endpoint).check().unwrap_err();
            assert!(error.contains("otlp_endpoint") && !error.contains("s3cret"), "{endpoint}: {error}");
        }
        let too_many = TelemetrySettings { sample_ratio: 1.5, ..TelemetrySettings::default() };
        assert!(too_many.check().unwrap_err().contains("sample_ratio"));
        assert!(TelemetrySettings::default().check().is_ok());
    }
}

//! What goes to Ray's Jobs API and what comes back, word for word.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The body of `POST /api/jobs/`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct SubmitRequest {
    pub(super) entrypoint: String,
    pub(super) submission_id: String,
    pub(super) entrypoint_num_cpus: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) entrypoint_num_gpus: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) entrypoint_memory: Option<u64>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) entrypoint_resources: BTreeMap<String, f64>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) entrypoint_label_selector: BTreeMap<String, String>,
    pub(super) runtime_env: RuntimeEnv,
    /// Ray takes texts only.
    pub(super) metadata: BTreeMap<String, String>,
}

/// What Ray sets up before the entry point starts.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(super) struct RuntimeEnv {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) env_vars: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) working_dir: Option<String>,
}

/// The reply to `GET /api/version`.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, serde(deny_unknown_fields))]
#[expect(dead_code, reason = "the whole reply, so that a test notices when Ray changes it")]
pub(super) struct Head {
    version: String,
    ray_version: String,
    ray_commit: String,
    /// Another one after each restart of the head.
    pub(super) session_name: String,
}

/// One job in the reply to `GET /api/jobs/`.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(test, serde(deny_unknown_fields))]
#[expect(dead_code, reason = "the whole reply, so that a test notices when Ray changes it")]
pub(super) struct JobDetails {
    r#type: String,
    job_id: Option<String>,
    /// None for what was not submitted through this API.
    pub(super) submission_id: Option<String>,
    driver_info: Option<serde_json::Value>,
    pub(super) status: JobStatus,
    entrypoint: String,
    pub(super) message: Option<String>,
    pub(super) error_type: Option<String>,
    /// When it was submitted, not when it started.
    start_time: Option<u64>,
    end_time: Option<u64>,
    pub(super) metadata: Option<BTreeMap<String, String>>,
    runtime_env: Option<serde_json::Value>,
    driver_agent_http_address: Option<String>,
    driver_node_id: Option<String>,
    pub(super) driver_exit_code: Option<i32>,
}

/// What Ray says of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum JobStatus {
    Pending,
    Running,
    Stopped,
    Succeeded,
    Failed,
}

impl JobStatus {
    /// Tells whether Ray may still start it or let it run.
    pub(super) fn is_live(self) -> bool {
        matches!(self, Self::Pending | Self::Running)
    }
}

/// The part of the reply to `GET /api/v0/nodes` that tells what there is.
#[derive(Debug, Deserialize)]
pub(super) struct Nodes {
    data: NodesData,
}

#[derive(Debug, Deserialize)]
struct NodesData {
    result: NodesResult,
}

#[derive(Debug, Deserialize)]
struct NodesResult {
    result: Vec<Node>,
}

/// One node.
#[derive(Debug, Deserialize)]
pub(super) struct Node {
    state: String,
    #[serde(default)]
    resources_total: BTreeMap<String, f64>,
}

impl Nodes {
    /// Says which of the resources wanted together no living node has.
    pub(super) fn lack(&self, wanted: &BTreeMap<String, f64>) -> Option<String> {
        let alive: Vec<_> = self.data.result.result.iter().filter(|node| node.state == "ALIVE").collect();
        let has = |node: &Node, name: &str| node.resources_total.get(name).copied().unwrap_or(0.0);
        if alive.iter().any(|node| wanted.iter().all(|(name, amount)| has(node, name) >= *amount)) {
            return None;
        }
        let most = |name: &str| alive.iter().map(|node| has(node, name)).fold(0.0, f64::max);
        let short: Vec<_> = wanted
            .iter()
            .filter(|(name, amount)| most(name) < **amount)
            .map(|(name, amount)| format!("{name} {amount} (most on one node: {})", most(name)))
            .collect();
        if short.is_empty() {
            let together: Vec<_> = wanted.iter().map(|(name, amount)| format!("{name} {amount}")).collect();
            return Some(format!("no one node has {} together", together.join(", ")));
        }
        Some(format!("no node has {}", short.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_of_ray_2_60_are_known_to_the_last_field() {
        let version = r#"{"version":"4","ray_version":"2.60.0","ray_commit":"c0ffee",
            "session_name":"session_2026-11-20_10-00-00_000000_17"}"#;
        let head: Head = serde_json::from_str(version).unwrap();
        assert_eq!(head.session_name, "session_2026-11-20_10-00-00_000000_17");

        let ended = r#"{"type":"SUBMISSION","job_id":null,"submission_id":"sweep-1-trial-0","driver_info":null,
            "status":"SUCCEEDED","entrypoint":"true","message":"Job finished successfully.","error_type":null,
            "start_time":1795182012410,"end_time":1795182013814,"metadata":{"sweep":"s1","trial":"0"},
            "runtime_env":{"env_vars":{"EDGE_TRIAL":"0"}},"driver_agent_http_address":"http://127.0.0.1:52365",
            "driver_node_id":"b6ee55","driver_exit_code":0}"#;
        let ended: JobDetails = serde_json::from_str(ended).unwrap();
        assert_eq!((ended.status, ended.driver_exit_code), (JobStatus::Succeeded, Some(0)));
        assert!(!ended.status.is_live());
    }

    #[test]
    fn what_no_node_has_is_named() {
        let nodes = r#"{"result":true,"msg":"","data":{"result":{"total":3,"result":[
            {"state":"ALIVE","resources_total":{"CPU":4.0}},
            {"state":"ALIVE","resources_total":{"CPU":1.0,"GPU":1.0}},
            {"state":"DEAD","resources_total":{"CPU":8.0,"GPU":8.0}}]}}}"#;
        let nodes: Nodes = serde_json::from_str(nodes).unwrap();
        let lack = |cpus, gpus| nodes.lack(&BTreeMap::from([("CPU".into(), cpus), ("GPU".into(), gpus)]));
        assert_eq!(lack(1.0, 1.0), None);
        assert_eq!(lack(1.0, 2.0).unwrap(), "no node has GPU 2 (most on one node: 1)");
        assert_eq!(lack(2.0, 1.0).unwrap(), "no one node has CPU 2, GPU 1 together");
    }
}

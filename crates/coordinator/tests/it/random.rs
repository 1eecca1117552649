//! Random graphs with random failures end well, and in order.

use std::sync::{Arc, Mutex};

use coordinator::{Limits, Plan, Silent, Task, TaskError, TaskOutput, TaskState};
use proptest::prelude::*;

use crate::runner;

/// One task: which earlier ones it needs, which it comes after, how often it fails, how often it may be retried.
#[derive(Debug, Clone)]
struct Node {
    needs: Vec<usize>,
    after: Vec<usize>,
    failures: u32,
    retries: u32,
}

fn nodes() -> impl Strategy<Value = Vec<Node>> {
    let raw = (any::<[bool; 8]>(), any::<[bool; 8]>(), 0u32..3, 0u32..3);
    prop::collection::vec(raw, 1..8).prop_map(|raw| {
        let chosen = |flags: [bool; 8], before: usize| (0..before).filter(|i| flags[*i]).collect::<Vec<_>>();
        raw.into_iter()
            .enumerate()
            .map(|(i, (needs, after, failures, retries))| Node {
                needs: chosen(needs, i),
                after: chosen(after, i),
                failures,
                retries,
            })
            .collect()
    })
}

fn name(index: usize) -> String {
    format!("t{index}")
}

/// Builds the plan with its tasks in reverse, so that the plan's order says nothing; notes who begins and ends.
fn plan(nodes: &[Node], diary: &Arc<Mutex<Vec<(char, usize)>>>) -> Plan {
    let task = |(i, node): (usize, &Node)| {
        let (diary, failures) = (diary.clone(), node.failures);
        let work = move |context: &coordinator::TaskContext<'_>| {
            diary.lock().unwrap().push(('b', i));
            let result = if context.attempt() > failures {
                Ok(TaskOutput::new(""))
            } else {
                Err(TaskError::new("not yet"))
            };
            diary.lock().unwrap().push(('e', i));
            result
        };
        Task::new(name(i), "test", work)
            .needs(node.needs.iter().copied().map(name))
            .after(node.after.iter().copied().map(name))
            .retries(node.retries)
    };
    Plan::new(nodes.iter().enumerate().map(task).rev().collect()).unwrap()
}

/// The state each task must end in, worked out without the runner.
fn expected(nodes: &[Node]) -> Vec<TaskState> {
    let mut states: Vec<TaskState> = Vec::new();
    for node in nodes {
        let needs_done = node.needs.iter().all(|need| states[*need] == TaskState::Done);
        let done = needs_done && node.failures <= node.retries;
        states.push(match (needs_done, done) {
            (_, true) => TaskState::Done,
            (true, false) => TaskState::Failed,
            (false, false) => TaskState::Blocked,
        });
    }
    states
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    #[test]
    fn every_task_ends_as_it_must_and_after_what_it_waits_for(nodes in nodes(), concurrency in 1usize..4) {
        let (runs, diary) = (tempfile::tempdir().unwrap(), Arc::default());
        let limits = Limits { concurrency, backoff: std::time::Duration::ZERO, ..Limits::default() };
        let record = runner(runs.path()).limits(limits).run(&plan(&nodes, &diary), &Silent).unwrap();
        let states: Vec<_> = (0..nodes.len()).map(|i| record.task(&name(i)).unwrap().state).collect();
        prop_assert_eq!(states, expected(&nodes));
        let diary = diary.lock().unwrap();
        let first = |mark, task| diary.iter().position(|entry| *entry == (mark, task));
        let last = |mark, task| diary.iter().rposition(|entry| *entry == (mark, task));
        for (i, node) in nodes.iter().enumerate() {
            for earlier in node.needs.iter().chain(&node.after) {
                if let (Some(begin), Some(end)) = (first('b', i), last('e', *earlier)) {
                    prop_assert!(end < begin, "t{i} began before t{earlier} ended");
                }
            }
        }
        let mut working = 0usize;
        for (mark, _) in diary.iter() {
            working = if *mark == 'b' { working + 1 } else { working - 1 };
            prop_assert!(working <= concurrency);
        }
    }
}

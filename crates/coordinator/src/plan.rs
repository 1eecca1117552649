//! Tasks and what they wait for: a directed graph without cycles.
//!
//! # Example
//! ```
//! use coordinator::{Plan, Task, TaskOutput};
//! let quick = |_: &coordinator::TaskContext<'_>| Ok(TaskOutput::new("done"));
//! let plan = Plan::new(vec![
//!     Task::new("fetch", "pull", quick).output("rows").retries(2),
//!     Task::new("train", "train", quick).needs(["fetch"]),
//!     Task::new("report", "write", quick).after(["train"]), // goes on when training is blocked
//! ]).unwrap();
//! assert_eq!(plan.tasks().len(), 3);
//! ```

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use petgraph::{algo::tarjan_scc, graph::DiGraph};

use crate::{TaskContext, TaskError, TaskOutput};

/// What a task does; called once per attempt, on a thread of its own.
pub type Work = Arc<dyn Fn(&TaskContext<'_>) -> Result<TaskOutput, TaskError> + Send + Sync>;

/// One step of a run.
pub struct Task {
    pub(crate) id: String,
    pub(crate) kind: String,
    pub(crate) needs: Vec<String>,
    pub(crate) after: Vec<String>,
    pub(crate) inputs: Vec<String>,
    pub(crate) outputs: Vec<String>,
    pub(crate) retries: u32,
    pub(crate) priority: i32,
    pub(crate) budget: Option<Duration>,
    pub(crate) destroys: Option<String>,
    pub(crate) work: Work,
}

impl Task {
    /// Builds a task that waits for nothing and is not retried.
    ///
    /// `id` names its folder: ASCII letters, digits, `-`, `_` and `.`, not starting with a dot.
    pub fn new(
        id: impl Into<String>,
        kind: impl Into<String>,
        work: impl Fn(&TaskContext<'_>) -> Result<TaskOutput, TaskError> + Send + Sync + 'static,
    ) -> Self {
        Self {
            id: id.into(),
            kind: kind.into(),
            needs: Vec::new(),
            after: Vec::new(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            retries: 0,
            priority: 0,
            budget: None,
            destroys: None,
            work: Arc::new(work),
        }
    }

    /// Waits for these tasks, and is blocked when one of them is.
    #[must_use]
    pub fn needs<S: Into<String>>(mut self, tasks: impl IntoIterator<Item = S>) -> Self {
        self.needs.extend(tasks.into_iter().map(Into::into));
        self
    }

    /// Waits for these tasks, but goes on when one of them is blocked.
    #[must_use]
    pub fn after<S: Into<String>>(mut self, tasks: impl IntoIterator<Item = S>) -> Self {
        self.after.extend(tasks.into_iter().map(Into::into));
        self
    }

    /// Declares an input: a setting, a hash, a date. When it changes, a resumed run does the task again.
    #[must_use]
    pub fn input(mut self, input: impl Into<String>) -> Self {
        self.inputs.push(input.into());
        self
    }

    /// Declares an output by name; the task fails when it ends without it.
    #[must_use]
    pub fn output(mut self, name: impl Into<String>) -> Self {
        self.outputs.push(name.into());
        self
    }

    /// Allows further attempts after the first, per session of the run.
    #[must_use]
    pub fn retries(mut self, retries: u32) -> Self {
        self.retries = retries;
        self
    }

    /// Sets how soon it begins among the tasks that are ready: the highest first, then in the plan's order.
    #[must_use]
    pub fn priority(mut self, priority: i32) -> Self {
        self.priority = priority;
        self
    }

    /// Limits the time of an attempt. One that takes longer is told to stop, and given up when it does not.
    ///
    /// Whoever waits for the task then goes on as after any failure. An attempt that was given up is not tried again in
    /// the same session, since its thread may still work.
    #[must_use]
    pub fn time_budget(mut self, budget: Duration) -> Self {
        self.budget = Some(budget);
        self
    }

    /// Says that the task removes something: it is blocked until a person has approved `what` with the same inputs.
    #[must_use]
    pub fn destroys(mut self, what: impl Into<String>) -> Self {
        self.destroys = Some(what.into());
        self
    }

    /// Returns the id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the kind.
    pub fn kind(&self) -> &str {
        &self.kind
    }
}

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task")
            .field("id", &self.id)
            .field("kind", &self.kind)
            .field("needs", &self.needs)
            .field("after", &self.after)
            .finish_non_exhaustive()
    }
}

/// Why tasks do not make a plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// The id cannot name a folder.
    #[error("`{0}` is no task id: use letters, digits, `-`, `_` and `.`, not starting with a dot")]
    InvalidId(String),
    /// Two tasks share an id.
    #[error("two tasks are called `{0}`: give each task an id of its own")]
    Duplicate(String),
    /// A task waits for one that is not there.
    #[error("task `{task}` waits for `{missing}`, which is not in the plan")]
    Unknown {
        /// Who waits.
        task: String,
        /// What is not there.
        missing: String,
    },
    /// Tasks wait for each other.
    #[error("tasks wait for each other in a circle: {}", .0.join(", "))]
    Cycle(Vec<String>),
}

/// Tasks whose dependencies exist and make no circle.
#[derive(Debug)]
pub struct Plan {
    tasks: Vec<Task>,
    /// Per task the indices in `needs`, then those in `after`.
    waits: Vec<(Vec<usize>, Vec<usize>)>,
}

impl Plan {
    /// Checks ids and dependencies.
    pub fn new(tasks: Vec<Task>) -> Result<Self, PlanError> {
        let mut index = BTreeMap::new();
        for (i, task) in tasks.iter().enumerate() {
            check_id(&task.id)?;
            if index.insert(task.id.as_str(), i).is_some() {
                return Err(PlanError::Duplicate(task.id.clone()));
            }
        }
        let find = |task: &Task, names: &[String]| {
            let one = |name: &String| {
                let unknown = || PlanError::Unknown { task: task.id.clone(), missing: name.clone() };
                index.get(name.as_str()).copied().ok_or_else(unknown)
            };
            names.iter().map(one).collect::<Result<Vec<_>, _>>()
        };
        let waits = tasks
            .iter()
            .map(|task| Ok((find(task, &task.needs)?, find(task, &task.after)?)))
            .collect::<Result<Vec<_>, _>>()?;
        refuse_cycles(&tasks, &waits)?;
        Ok(Self { tasks, waits })
    }

    /// Returns the tasks, in the order given.
    pub fn tasks(&self) -> &[Task] {
        &self.tasks
    }

    /// Returns the indices of the tasks that `task` needs.
    pub(crate) fn needs(&self, task: usize) -> &[usize] {
        &self.waits[task].0
    }

    /// Returns the indices of the tasks that `task` merely comes after.
    pub(crate) fn after(&self, task: usize) -> &[usize] {
        &self.waits[task].1
    }
}

/// Refuses what could not name a folder, or would leave the run's own.
pub(crate) fn check_id(id: &str) -> Result<(), PlanError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if id.is_empty() || id.len() > 100 || id.starts_with('.') || !id.chars().all(allowed) {
        return Err(PlanError::InvalidId(id.to_owned()));
    }
    Ok(())
}

fn refuse_cycles(tasks: &[Task], waits: &[(Vec<usize>, Vec<usize>)]) -> Result<(), PlanError> {
    let mut graph = DiGraph::<(), ()>::new();
    let nodes: Vec<_> = tasks.iter().map(|_| graph.add_node(())).collect();
    for (task, (needs, after)) in waits.iter().enumerate() {
        for earlier in needs.iter().chain(after) {
            graph.add_edge(nodes[*earlier], nodes[task], ());
        }
    }
    let circle = tarjan_scc(&graph)
        .into_iter()
        .find(|part| part.len() > 1 || part.iter().any(|node| graph.contains_edge(*node, *node)));
    let Some(mut circle) = circle else { return Ok(()) };
    circle.sort();
    Err(PlanError::Cycle(circle.into_iter().map(|node| tasks[node.index()].id.clone()).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(id: &str) -> Task {
        Task::new(id, "test", |_| Ok(TaskOutput::new("")))
    }

    #[test]
    fn tasks_that_wait_for_each_other_are_refused_by_name() {
        let tasks = vec![task("a").needs(["c"]), task("b").after(["a"]), task("c").needs(["b"]), task("d")];
        let error = Plan::new(tasks).unwrap_err();
        assert_eq!(error.to_string(), "tasks wait for each other in a circle: a, b, c");
        assert!(matches!(Plan::new(vec![task("a").needs(["a"])]), Err(PlanError::Cycle(_))));
    }

    #[test]
    fn unknown_duplicate_and_hostile_ids_are_refused() {
        let unknown = Plan::new(vec![task("a").needs(["b"])]).unwrap_err();
        assert_eq!(unknown.to_string(), "task `a` waits for `b`, which is not in the plan");
        assert_eq!(Plan::new(vec![task("a"), task("a")]).unwrap_err(), PlanError::Duplicate("a".into()));
        for id in ["", "..", "../x", "a/b", ".lock", "a b", "é"] {
            assert_eq!(Plan::new(vec![task(id)]).unwrap_err(), PlanError::InvalidId(id.into()));
        }
    }
}

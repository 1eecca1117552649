//! Which parameters there are, what each may be, and which of them exist only beside certain values of others.
//!
//! # Example
//! ```
//! use sweep::Space;
//! let space: Space = toml::from_str(r#"
//!     learning_rate = { log = [0.0005, 0.02] }
//!     dropout = { float = [0.0, 0.5] }
//!     layers = { int = [1, 2] }
//!     hidden = { choice = [16, 32, 64] }
//!     fan_out = { int = [4, 12], step = 2, when = { layers = [2] } }
//! "#).unwrap();
//! let point = |json| serde_json::from_str(json).unwrap();
//! assert!(space.admits(&point(r#"{"layers": 2, "fan_out": 8}"#)));
//! assert!(!space.admits(&point(r#"{"layers": 1, "fan_out": 8}"#)));
//! ```

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Domain,
    domain::{DomainError, same},
};

/// Values by parameter; a parameter that is not there keeps its base setting.
pub type Point = BTreeMap<String, Value>;

/// Values of other parameters beside which one exists: each of them must be one of those listed.
pub type When = BTreeMap<String, Vec<Value>>;

/// What a parameter may be, and when it exists.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// What it may be.
    pub domain: Domain,
    /// When it exists; always when empty.
    pub when: When,
}

/// Why parameters make no space.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SpaceError {
    /// There is no parameter.
    #[error("the space has no parameter: name at least one, as in `dropout = {{ float = [0.0, 0.5] }}`")]
    Empty,
    /// A parameter may be nothing sensible.
    #[error("parameter `{name}`: {problem}")]
    Domain {
        /// The parameter.
        name: String,
        /// What is wrong.
        problem: DomainError,
    },
    /// A condition names a parameter that is not there.
    #[error("parameter `{name}` exists only beside values of `{missing}`, which is not in the space")]
    UnknownCondition {
        /// The parameter.
        name: String,
        /// What is not there.
        missing: String,
    },
    /// A condition lists numbers of a range in which no number is ever met again.
    #[error(
        "parameter `{name}` cannot depend on `{other}`, which is any number: give that a `step` or make it a `choice`"
    )]
    ContinuousCondition {
        /// The parameter.
        name: String,
        /// What it depends on.
        other: String,
    },
    /// A condition lists a value that the other parameter never has.
    #[error("parameter `{name}` waits for `{other}` to be {value}, which it cannot be")]
    ImpossibleValue {
        /// The parameter.
        name: String,
        /// What it depends on.
        other: String,
        /// What is never met.
        value: Value,
    },
    /// The conditions on the way to a parameter exclude each other.
    #[error("parameter `{name}` can never exist: what it waits for leaves no value of `{other}`")]
    Never {
        /// The parameter.
        name: String,
        /// Where the conditions exclude each other.
        other: String,
    },
    /// Parameters wait for each other.
    #[error("parameters wait for each other in a circle: {}", .0.join(", "))]
    Cycle(Vec<String>),
}

/// Parameters, checked: each can exist, and each condition can be told from the parameters before it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<String, Written>", into = "BTreeMap<String, Written>")]
pub struct Space {
    parameters: BTreeMap<String, Parameter>,
    /// Names, each after those it depends on.
    order: Vec<String>,
}

impl Space {
    /// Checks what each parameter may be and that the conditions can be met.
    pub fn new(parameters: BTreeMap<String, Parameter>) -> Result<Self, SpaceError> {
        if parameters.is_empty() {
            return Err(SpaceError::Empty);
        }
        for (name, parameter) in &parameters {
            let named = |problem| SpaceError::Domain { name: name.clone(), problem };
            parameter.domain.check().map_err(named)?;
            check_conditions(name, parameter, &parameters)?;
        }
        let order = order(&parameters)?;
        for name in &order {
            required(name, &parameters)?;
        }
        Ok(Self { parameters, order })
    }

    /// Returns the parameters by name.
    pub fn parameters(&self) -> &BTreeMap<String, Parameter> {
        &self.parameters
    }

    /// Tells whether each value of `point` is one that its parameter may have there.
    ///
    /// A point may leave out parameters, which then keep their base setting.
    pub fn admits(&self, point: &Point) -> bool {
        point.iter().all(|(name, value)| {
            let parameter = self.parameters.get(name);
            parameter.is_some_and(|p| p.domain.contains(value)) && self.exists(name, point)
        })
    }

    /// Lists all points; none when there are more than `limit`.
    pub fn points(&self, limit: usize) -> Option<Vec<Point>> {
        let mut points = vec![Point::new()];
        for name in &self.order {
            let mut longer = Vec::new();
            for point in points {
                if !self.exists(name, &point) {
                    longer.push(point);
                    continue;
                }
                for value in self.parameters[name].domain.values(limit)? {
                    let mut point = point.clone();
                    point.insert(name.clone(), value);
                    longer.push(point);
                }
                if longer.len() > limit {
                    return None;
                }
            }
            points = longer;
        }
        (points.len() <= limit).then_some(points)
    }

    /// Returns the parameters, each after those it depends on.
    pub(crate) fn in_order(&self) -> impl Iterator<Item = (&String, &Parameter)> {
        self.order.iter().filter_map(|name| self.parameters.get_key_value(name))
    }

    /// Tells whether a parameter exists beside the values of `point`.
    pub(crate) fn exists(&self, name: &str, point: &Point) -> bool {
        let met = |(other, values): (&String, &Vec<Value>)| {
            point.get(other).is_some_and(|value| values.iter().any(|listed| same(listed, value)))
        };
        self.parameters.get(name).is_some_and(|parameter| parameter.when.iter().all(met))
    }

    /// Fills a point up with what the base settings say, and leaves out what then does not exist.
    ///
    /// Two points with the same completion train the same model.
    pub(crate) fn complete(&self, point: &Point, base: &Point) -> Point {
        let mut whole = Point::new();
        for (name, parameter) in self.in_order() {
            let value = point.get(name).or_else(|| base.get(name));
            let value = value.filter(|value| parameter.domain.contains(value));
            if let Some(value) = value.filter(|_| self.exists(name, &whole)) {
                whole.insert(name.clone(), value.clone());
            }
        }
        whole
    }
}

fn check_conditions(
    name: &str,
    parameter: &Parameter,
    parameters: &BTreeMap<String, Parameter>,
) -> Result<(), SpaceError> {
    for (other, values) in &parameter.when {
        let (name, other) = (name.to_owned(), other.clone());
        let Some(before) = parameters.get(&other) else {
            return Err(SpaceError::UnknownCondition { name, missing: other });
        };
        if before.domain.is_continuous() {
            return Err(SpaceError::ContinuousCondition { name, other });
        }
        if values.is_empty() {
            return Err(SpaceError::Never { name, other });
        }
        if let Some(value) = values.iter().find(|value| !before.domain.contains(value)) {
            return Err(SpaceError::ImpossibleValue { name, other, value: value.clone() });
        }
    }
    Ok(())
}

/// Puts each parameter after those it depends on, otherwise by name.
fn order(parameters: &BTreeMap<String, Parameter>) -> Result<Vec<String>, SpaceError> {
    let mut order: Vec<String> = Vec::new();
    while order.len() < parameters.len() {
        let ready = |(name, parameter): &(&String, &Parameter)| {
            !order.contains(name) && parameter.when.keys().all(|other| order.contains(other))
        };
        let Some((next, _)) = parameters.iter().find(ready) else { return Err(circle(parameters, &order)) };
        order.push(next.clone());
    }
    Ok(order)
}

/// Names the parameters of one circle among those that could not be put in order.
fn circle(parameters: &BTreeMap<String, Parameter>, ordered: &[String]) -> SpaceError {
    let waits_for = |name: &String| {
        parameters.get(name).and_then(|p| p.when.keys().find(|other| !ordered.contains(other)).cloned())
    };
    let mut walk: Vec<String> = Vec::new();
    let mut next = parameters.keys().find(|name| !ordered.contains(name)).cloned();
    while let Some(name) = next {
        if let Some(start) = walk.iter().position(|seen| *seen == name) {
            walk.drain(..start);
            break;
        }
        next = waits_for(&name);
        walk.push(name);
    }
    walk.sort();
    SpaceError::Cycle(walk)
}

/// Gathers what must hold for a parameter to exist: per parameter the values it may still have.
///
/// All conditions are of the form "one of these", so they can be met together exactly when no list runs empty.
fn required(name: &str, parameters: &BTreeMap<String, Parameter>) -> Result<When, SpaceError> {
    let mut left = When::new();
    let mut ahead = vec![name];
    while let Some(current) = ahead.pop() {
        let Some(parameter) = parameters.get(current) else { continue };
        for (other, values) in &parameter.when {
            let kept = left.entry(other.clone()).or_insert_with(|| values.clone());
            kept.retain(|value| values.iter().any(|listed| same(listed, value)));
            if kept.is_empty() {
                return Err(SpaceError::Never { name: name.to_owned(), other: other.clone() });
            }
            ahead.push(other);
        }
    }
    Ok(left)
}

/// A parameter as it is written in TOML and JSON.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Written {
    #[serde(skip_serializing_if = "Option::is_none")]
    float: Option<[f64; 2]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    log: Option<[f64; 2]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    int: Option<[i64; 2]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    choice: Option<Vec<Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<f64>,
    #[serde(skip_serializing_if = "When::is_empty")]
    when: When,
}

impl TryFrom<Written> for Parameter {
    type Error = DomainError;

    fn try_from(written: Written) -> Result<Self, DomainError> {
        let Written { float, log, int, choice, step, when } = written;
        let domain = match (float, log, int, choice) {
            (Some([low, high]), None, None, None) => Domain::Float { low, high, step },
            (None, Some([low, high]), None, None) if step.is_none() => Domain::Log { low, high },
            (None, None, Some([low, high]), None) => Domain::Int { low, high, step: whole(step)? },
            (None, None, None, Some(values)) if step.is_none() => Domain::Choice(values),
            (None, Some(_), None, None) | (None, None, None, Some(_)) => {
                return Err(DomainError::StepElsewhere);
            }
            _ => return Err(DomainError::Kind),
        };
        Ok(Self { domain, when })
    }
}

fn whole(step: Option<f64>) -> Result<Option<i64>, DomainError> {
    match step {
        Some(step) if step.fract() != 0.0 => Err(DomainError::StepNotWhole(step)),
        step => Ok(step.map(|step| step as i64)),
    }
}

impl From<Parameter> for Written {
    fn from(Parameter { domain, when }: Parameter) -> Self {
        let written = Self { when, ..Self::default() };
        match domain {
            Domain::Float { low, high, step } => Self { float: Some([low, high]), step, ..written },
            Domain::Log { low, high } => Self { log: Some([low, high]), ..written },
            Domain::Int { low, high, step } => {
                Self { int: Some([low, high]), step: step.map(|step| step as f64), ..written }
            }
            Domain::Choice(values) => Self { choice: Some(values), ..written },
        }
    }
}

impl TryFrom<BTreeMap<String, Written>> for Space {
    type Error = SpaceError;

    fn try_from(written: BTreeMap<String, Written>) -> Result<Self, SpaceError> {
        let read = |(name, written): (String, Written)| match Parameter::try_from(written) {
            Ok(parameter) => Ok((name, parameter)),
            Err(problem) => Err(SpaceError::Domain { name, problem }),
        };
        Self::new(written.into_iter().map(read).collect::<Result<_, _>>()?)
    }
}

impl From<Space> for BTreeMap<String, Written> {
    fn from(space: Space) -> Self {
        space.parameters.into_iter().map(|(name, parameter)| (name, parameter.into())).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refused(text: &str) -> String {
        toml::from_str::<Space>(text).unwrap_err().message().to_owned()
    }

    fn point(value: Value) -> Point {
        serde_json::from_value(value).unwrap()
    }

    const CONDITIONAL: &str = "
        layers = { int = [1, 3] }
        fan_out = { int = [4, 12], step = 4, when = { layers = [2, 3] } }
        deep = { choice = [true, false], when = { fan_out = [8], layers = [3] } }";

    #[test]
    fn what_is_no_space_is_refused_with_its_reason() {
        let cases = [
            ("", "the space has no parameter"),
            ("a = { float = [1, 1] }", "parameter `a`: its lower bound 1 must be below"),
            ("a = { log = [0, 1] }", "parameter `a`: its lower bound 0 must be above zero"),
            ("a = { float = [nan, 1] }", "parameter `a`: its bounds NaN and 1 must be finite"),
            ("a = { float = [0, inf] }", "must be finite"),
            ("a = { choice = [] }", "nothing to choose from"),
            ("a = { choice = [1, 2, 2] }", "2 is listed twice"),
            ("a = { choice = [nan, 1] }", "null is no finite number"),
            ("a = {}", "exactly one of"),
            ("a = { int = [1, 2], float = [1, 2] }", "exactly one of"),
            ("a = { log = [1, 2], step = 1 }", "`step` goes only with"),
            ("a = { int = [1, 4], step = 1.5 }", "1.5 of whole numbers is not whole"),
            ("a = { int = [1, 4], stepp = 1 }", "unknown field `stepp`"),
            ("a = { int = [1, 2.5] }", "invalid type"),
        ];
        for (text, reason) in cases {
            let message = refused(text);
            assert!(message.contains(reason), "{text}: {message}");
        }
    }

    #[test]
    fn conditions_that_cannot_hold_are_refused() {
        let cases = [
            ("a = { int = [1, 2], when = { b = [1] } }", "values of `b`, which is not in the space"),
            ("a = { int = [1, 2], when = { a = [1] } }", "in a circle: a"),
            ("a = { int = [1, 2] }\nb = { int = [1, 2], when = { a = [3] } }", "waits for `a` to be 3"),
            ("a = { int = [1, 2] }\nb = { int = [1, 2], when = { a = [] } }", "`b` can never exist"),
            ("a = { float = [1, 2] }\nb = { int = [1, 2], when = { a = [1] } }", "cannot depend on `a`"),
            (
                "a = { int = [1, 2] }\nb = { int = [1, 2], when = { a = [1] } }\n\
                 c = { int = [1, 2], when = { a = [2], b = [1] } }",
                "`c` can never exist: what it waits for leaves no value of `a`",
            ),
            (
                "a = { int = [1, 2], when = { c = [1] } }\nb = { int = [1, 2], when = { a = [1] } }\n\
                 c = { int = [1, 2], when = { b = [1] } }\nd = { int = [1, 2], when = { c = [1] } }",
                "in a circle: a, b, c",
            ),
        ];
        for (text, reason) in cases {
            let message = refused(text);
            assert!(message.contains(reason), "{text}: {message}");
        }
    }

    #[test]
    fn a_space_survives_json_and_toml() {
        let space: Space = toml::from_str(CONDITIONAL).unwrap();
        let json = serde_json::to_string(&space).unwrap();
        assert_eq!(serde_json::from_str::<Space>(&json).unwrap(), space);
        assert_eq!(toml::from_str::<Space>(&toml::to_string(&space).unwrap()).unwrap(), space);
    }

    #[test]
    fn all_points_of_a_small_space_can_be_listed() {
        let space: Space = toml::from_str(CONDITIONAL).unwrap();
        let points = space.points(20).unwrap();
        // layers 1; layers 2 with three fans; layers 3 with three fans, one of them deep or not.
        assert_eq!(points.len(), 1 + 3 + 2 + 2);
        assert!(points.iter().all(|point| space.admits(point)));
        assert_eq!(space.points(7), None);
    }

    #[test]
    fn a_point_is_filled_up_with_the_base_and_loses_what_does_not_exist() {
        let space: Space = toml::from_str(CONDITIONAL).unwrap();
        let base = point(json!({"layers": 2, "fan_out": 8, "deep": true}));
        assert_eq!(space.complete(&Point::new(), &base), point(json!({"layers": 2, "fan_out": 8})));
        let shallow = space.complete(&point(json!({"layers": 1})), &base);
        assert_eq!(shallow, point(json!({"layers": 1})));
    }
}

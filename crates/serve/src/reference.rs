//! The contract as a page for people, written from the document; it needs nothing but itself.

use std::sync::LazyLock;

use axum::http::{
    HeaderName,
    header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY},
};
use serde::Serialize;
use serde_json::Value;
use tera::{Context, Kwargs, State, Tera, TeraResult};

use crate::{Problem, ProblemKind, problem::problem, routes::DOCUMENT};

/// Nothing may be loaded from anywhere; the page's own style is inside of it.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

/// Made once, since the document never changes while the process runs.
static PAGE: LazyLock<Result<String, tera::Error>> = LazyLock::new(|| render(&DOCUMENT));

type Headers = [(HeaderName, &'static str); 3];

/// Shows the contract to people.
#[utoipa::path(get, path = "/docs", tag = "contract", responses(
    (status = 200, description = "A page that loads nothing from elsewhere.", body = String,
        content_type = "text/html"),
))]
pub(crate) async fn docs() -> Result<(Headers, &'static str), Box<Problem>> {
    let page = PAGE.as_deref().map_err(|error| {
        tracing::error!(error = error as &dyn std::error::Error, "the page of the contract failed");
        problem(ProblemKind::Internal, "the page cannot be written; see /openapi.json")
    })?;
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (REFERRER_POLICY, "no-referrer"),
    ];
    Ok((headers, page))
}

#[derive(Serialize)]
struct Group<'a> {
    name: &'a str,
    description: &'a str,
    routes: Vec<Route<'a>>,
}

#[derive(Serialize)]
struct Route<'a> {
    anchor: &'a str,
    method: String,
    path: &'a str,
    summary: &'a str,
    description: &'a str,
    is_open: bool,
    parameters: Vec<Field<'a>>,
    body: &'a str,
    examples: Vec<Example<'a>>,
    answers: Vec<Field<'a>>,
}

#[derive(Serialize)]
struct Example<'a> {
    name: &'a str,
    text: String,
}

/// A field of a shape, a parameter, or an answer by its status.
#[derive(Serialize)]
struct Field<'a> {
    name: &'a str,
    kind: String,
    shape: &'a str,
    description: &'a str,
}

#[derive(Serialize)]
struct Shape<'a> {
    name: &'a str,
    description: &'a str,
    parts: Vec<Part<'a>>,
}

/// All fields of a shape, or one of its forms.
#[derive(Serialize)]
struct Part<'a> {
    name: String,
    fields: Vec<Field<'a>>,
}

fn render(document: &Value) -> Result<String, tera::Error> {
    let mut tera = Tera::new();
    tera.autoescape_on([".html"]);
    tera.register_filter("code", code);
    tera.add_raw_template("reference.html", include_str!("../templates/reference.html"))?;
    let tags = document["tags"].as_array().into_iter().flatten();
    let groups: Vec<Group<'_>> = tags
        .map(|tag| {
            let name = text(&tag["name"]);
            Group { name, description: text(&tag["description"]), routes: routes(document, name) }
        })
        .collect();
    let schemas = pairs(&document["components"]["schemas"]);
    let shapes: Vec<Shape<'_>> = schemas.map(|(name, schema)| shape(name, schema)).collect();
    let mut context = Context::new();
    for name in ["title", "version", "description"] {
        context.insert(name, text(&document["info"][name]));
    }
    context.insert("openapi", text(&document["openapi"]));
    context.insert("groups", &groups);
    context.insert("shapes", &shapes);
    tera.render("reference.html", &context)
}

/// Shows what stands between backticks as code.
fn code(words: &str, _: Kwargs, _: &State<'_>) -> TeraResult<tera::Value> {
    let mut shown = Vec::new();
    for (index, words) in words.split('`').enumerate() {
        let is_code = index % 2 == 1;
        shown.extend_from_slice(if is_code { b"<code>" } else { b"" });
        tera::escape_html(words, &mut shown)?;
        shown.extend_from_slice(if is_code { b"</code>" } else { b"" });
    }
    Ok(tera::Value::safe_string(&String::from_utf8_lossy(&shown)))
}

fn routes<'a>(document: &'a Value, tag: &str) -> Vec<Route<'a>> {
    let all = pairs(&document["paths"])
        .flat_map(|(path, methods)| pairs(methods).map(move |(method, operation)| (path, method, operation)));
    let own = all.filter(|(.., operation)| operation["tags"][0] == tag);
    own.map(|(path, method, operation)| {
        let content =
            |value: &'a Value| pairs(&value["content"]).next().map_or(&Value::Null, |(_, kind)| kind);
        let body = content(&operation["requestBody"]);
        let answers = pairs(&operation["responses"]).map(|(status, answer)| {
            let answer = resolve(document, answer);
            let shape = reference(&content(answer)["schema"]);
            Field { name: status, kind: String::new(), shape, description: text(&answer["description"]) }
        });
        let examples = pairs(&body["examples"]).map(|(_, example)| Example {
            name: text(&example["summary"]),
            text: serde_json::to_string_pretty(&example["value"]).unwrap_or_default(),
        });
        Route {
            anchor: text(&operation["operationId"]),
            method: method.to_uppercase(),
            path,
            summary: text(&operation["summary"]),
            description: text(&operation["description"]),
            is_open: operation["security"].as_array().is_some_and(Vec::is_empty),
            parameters: operation["parameters"].as_array().into_iter().flatten().map(parameter).collect(),
            body: reference(&body["schema"]),
            examples: examples.collect(),
            answers: answers.collect(),
        }
    })
    .collect()
}

fn parameter(parameter: &Value) -> Field<'_> {
    let schema = &parameter["schema"];
    let description = text(&parameter["description"]);
    Field { name: text(&parameter["name"]), kind: kind(schema), shape: reference(schema), description }
}

/// A shape has fields, or is one of several forms, or adds fields to those of others, or is a plain value.
fn shape<'a>(name: &'a str, schema: &'a Value) -> Shape<'a> {
    let forms = |list: &str| schema[list].as_array().map(Vec::as_slice).unwrap_or_default();
    let parts = match (forms("oneOf"), forms("allOf")) {
        ([], []) if schema["properties"].is_object() => {
            vec![Part { name: String::new(), fields: fields(schema) }]
        }
        ([], []) => vec![Part { name: kind(schema), fields: Vec::new() }],
        ([], all) => all.iter().map(|part| Part { name: with(part), fields: fields(part) }).collect(),
        (one, _) => one.iter().map(form).collect(),
    };
    Shape { name, description: text(&schema["description"]), parts }
}

fn form(form: &Value) -> Part<'_> {
    Part { name: text(&form["title"]).to_owned(), fields: fields(form) }
}

fn with(part: &Value) -> String {
    let name = reference(part);
    if name.is_empty() { String::new() } else { format!("All fields of {name}, and") }
}

fn fields(schema: &Value) -> Vec<Field<'_>> {
    let required = schema["required"].as_array().map(Vec::as_slice).unwrap_or_default();
    let field = |(name, schema)| {
        let is_optional = !required.iter().any(|field| field == name);
        let kind = format!("{}{}", kind(schema), if is_optional { ", may be absent" } else { "" });
        // Where null is allowed beside a shape, the words stand with the shape.
        let places = [&schema["description"], &schema["oneOf"][0]["description"]];
        let description = places.into_iter().find_map(Value::as_str).unwrap_or_default();
        Field { name, kind, shape: reference(schema), description }
    };
    pairs(&schema["properties"]).map(field).collect()
}

/// Says in words what values a schema takes.
fn kind(schema: &Value) -> String {
    let several =
        |list: &Value| list.as_array().map(|all| all.iter().map(kind).collect::<Vec<_>>().join(" or "));
    let name = reference(schema);
    if let Some(forms) = several(&schema["oneOf"]).or_else(|| several(&schema["anyOf"])) {
        return forms;
    }
    if let Some(values) = schema["enum"].as_array() {
        return values.iter().map(text).collect::<Vec<_>>().join(", ");
    }
    match (&schema["type"], &schema["const"]) {
        (_, Value::String(only)) => only.clone(),
        (Value::String(kind), _) if kind == "array" => {
            let items = self::kind(&schema["items"]);
            if items.is_empty() { "list".to_owned() } else { format!("list of {items}") }
        }
        (Value::String(kind), _) if kind == "string" => {
            ["string", text(&schema["format"])].join(" ").trim_end().to_owned()
        }
        (Value::String(kind), _) => kind.clone(),
        (Value::Array(kinds), _) => kinds.iter().map(text).collect::<Vec<_>>().join(" or "),
        _ => name.to_owned(),
    }
}

/// Returns the name of the shape that is referred to, also within a list or beside null.
fn reference(schema: &Value) -> &str {
    if let Some(target) = schema["$ref"].as_str() {
        return target.rsplit('/').next().unwrap_or_default();
    }
    let forms = schema["oneOf"].as_array().into_iter().flatten();
    forms.chain(schema.get("items")).map(reference).find(|name| !name.is_empty()).unwrap_or_default()
}

fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let target = value["$ref"].as_str().and_then(|target| document.pointer(target.trim_start_matches('#')));
    target.unwrap_or(value)
}

fn pairs(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), value))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

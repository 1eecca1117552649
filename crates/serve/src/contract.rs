//! What every route's description has in common: refusals, headers, tokens, and shapes that no derive can say.

use serde_json::{Map, Value, json};
use utoipa::OpenApi;

use crate::{Problem, guard::OPEN, inference::WordedProblem};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Edge",
        version = "1",
        license(name = "MIT", identifier = "MIT"),
        description = "Probabilities of games. Every answer carries the model's version, the as-of and the schema's \
                       version, in the body and in the headers x-model-version, x-as-of and x-schema-version. Errors \
                       are RFC 9457 problem documents. The schema's version counts up when a field is removed or \
                       changes its meaning; new fields do not count."
    ),
    tags(
        (name = "forecasts", description = "Probabilities, and the model that gives them."),
        (name = "health", description = "For probes and for Prometheus."),
        (name = "contract", description = "This document, for programs and for people."),
        (name = "open inference", description = "The Open Inference Protocol, version 2, for clients that speak it."),
    ),
    components(schemas(Problem, WordedProblem<'static>))
)]
pub(crate) struct Document;

/// When a route can refuse with a status.
#[derive(Clone, Copy, PartialEq, Eq)]
enum When {
    Always,
    WithToken,
    WithInput,
    WithBody,
    WithName,
}

const REFUSALS: [(&str, When, &str); 15] = [
    ("400", When::WithInput, "The JSON or a parameter cannot be read; `detail` says where."),
    ("401", When::WithToken, "No token, or a wrong one."),
    ("403", When::WithToken, "The token may not do this."),
    ("404", When::WithName, "The game or the model is not known."),
    ("405", When::Always, "The path does not take this method; see the header `allow`."),
    ("408", When::Always, "The request came too slowly."),
    ("413", When::WithBody, "The body is over the limit."),
    ("414", When::Always, "The address is over the limit."),
    ("415", When::WithBody, "`content-type: application/json` is missing."),
    ("421", When::Always, "The endpoint does not answer for this host."),
    ("422", When::WithInput, "Readable, but it cannot be answered; `detail` says why."),
    ("429", When::Always, "Too many requests; see `retry-after`."),
    ("431", When::Always, "The headers are over the limit."),
    ("500", When::Always, "The model failed; the cause is in the server's log."),
    ("503", When::Always, "No model, old data, too busy, or no answer in time; see `retry-after`."),
];

/// Adds to the document what all its routes share.
pub(crate) fn complete(mut document: Value) -> Value {
    document["security"] = json!([{"bearer": []}, {"basic": []}]);
    let components = &mut document["components"];
    components["securitySchemes"] = json!({
        "bearer": {"type": "http", "scheme": "bearer", "description": "The token, where the endpoint has one."},
        "basic": {"type": "http", "scheme": "basic", "description": "For browsers: any name, the token as the password."},
    });
    components["headers"] = headers();
    components["responses"] = responses();
    components["schemas"] = shapes(components["schemas"].take());
    let Some(paths) = document["paths"].as_object_mut() else { return document };
    for (path, methods) in paths {
        for operation in methods.as_object_mut().into_iter().flat_map(Map::values_mut) {
            complete_operation(path, operation);
        }
    }
    document
}

fn complete_operation(path: &str, operation: &mut Value) {
    let is_open = OPEN.contains(&path);
    if is_open {
        operation["security"] = json!([]);
    }
    let has_body = operation["requestBody"].is_object();
    let has_input = has_body || operation["parameters"].is_array();
    let has_name = has_body || path.contains('{');
    let Some(given) = operation["responses"].as_object_mut() else { return };
    for response in given.values_mut() {
        response["headers"] =
            header_references(&["x-request-id", "x-model-version", "x-as-of", "x-schema-version"]);
    }
    for (status, when, _) in REFUSALS {
        let can_happen = match when {
            When::Always => true,
            When::WithToken => !is_open,
            When::WithInput => has_input,
            When::WithBody => has_body,
            When::WithName => has_name,
        };
        if can_happen {
            let name = response_name(status, path.starts_with("/v2"));
            given.insert(status.to_owned(), json!({"$ref": format!("#/components/responses/{name}")}));
        }
    }
}

fn response_name(status: &str, is_inference: bool) -> String {
    format!("{}{status}", if is_inference { "InferenceProblem" } else { "Problem" })
}

/// Describes every refusal once, for routes of the house and for those of the inference protocol.
fn responses() -> Value {
    let mut all = Map::new();
    for (is_inference, schema) in [(false, "Problem"), (true, "WordedProblem")] {
        for (status, _, description) in REFUSALS {
            let mut names = vec!["x-request-id", "x-model-version", "x-as-of", "x-schema-version"];
            names.extend(["429", "503"].contains(&status).then_some("retry-after"));
            names.extend((status == "405").then_some("allow"));
            names.extend((status == "401").then_some("www-authenticate"));
            let content = json!({"schema": {"$ref": format!("#/components/schemas/{schema}")}});
            let response = json!({
                "description": description,
                "headers": header_references(&names),
                "content": {"application/problem+json": content},
            });
            all.insert(response_name(status, is_inference), response);
        }
    }
    Value::Object(all)
}

fn header_references(names: &[&str]) -> Value {
    let reference =
        |name: &&str| ((*name).to_owned(), json!({"$ref": format!("#/components/headers/{name}")}));
    Value::Object(names.iter().map(reference).collect())
}

fn headers() -> Value {
    let header = |description: &str, required: bool, schema: Value| json!({"description": description, "required": required, "schema": schema});
    let text = || json!({"type": "string"});
    json!({
        "x-request-id": header("The caller's id when it sent a plain one, else one of the endpoint's.", true, text()),
        "x-model-version": header("The model's version; absent while none is loaded.", false, text()),
        "x-as-of": header(
            "Nothing known at or after this instant was used; absent while no model is loaded.",
            false,
            json!({"type": "string", "format": "date-time"}),
        ),
        "x-schema-version": header("Version of this contract.", true, text()),
        "retry-after": header("Seconds after which to ask again.", false, json!({"type": "integer", "minimum": 0})),
        "allow": header("Methods that the path takes.", false, text()),
        "www-authenticate": header("How to present a token.", true, text()),
    })
}

/// Says which fields of a game and of a line go together.
fn shapes(mut schemas: Value) -> Value {
    let game = &schemas["GameAsked"];
    let known = part("KnownGame", game, |name| matches!(name, "game_id" | "key_players_out"), &["game_id"]);
    let hypothetical = part("HypotheticalGame", game, |name| name != "game_id", &["home", "away"]);
    schemas["GameAsked"] = json!({"description": game["description"], "oneOf": [known, hypothetical]});
    let line = schemas["LineAsked"].clone();
    let kind = |title: &str, market: &str, selections: &[&str], points: Value| {
        let has_points = points.is_null();
        let required = ["market", "selection", "points"];
        let required = if has_points { &required[..] } else { &required[..2] };
        let mut kind = part(title, &line, |_| true, required);
        kind["properties"]["market"] = json!({"type": "string", "const": market});
        kind["properties"]["selection"] = json!({"type": "string", "enum": selections});
        if !has_points {
            kind["properties"]["points"] = points;
        }
        kind
    };
    let no_points = json!({"type": "null", "description": "A moneyline takes no points."});
    let kinds = [
        kind("MoneylineAsked", "moneyline", &["home", "draw", "away"], no_points),
        kind("SpreadAsked", "spread", &["home", "away"], Value::Null),
        kind("TotalAsked", "total", &["over", "under"], Value::Null),
    ];
    // What is told back stands beside other fields, so it cannot forbid them.
    if let Some(parts) = schemas["LineAnswer"]["allOf"].as_array_mut() {
        parts.retain(|part| part["$ref"].is_null());
        let mut told = line.clone();
        told.as_object_mut().map(|told| told.remove("additionalProperties"));
        parts.insert(0, told);
    }
    schemas["LineAsked"] = json!({"description": line["description"], "oneOf": kinds});
    for schema in schemas.as_object_mut().into_iter().flat_map(Map::values_mut) {
        // Examples in Rust are for readers of the code.
        if let Some((words, _)) =
            schema["description"].as_str().and_then(|all| all.split_once("\n\n# Example"))
        {
            schema["description"] = Value::from(words);
        }
    }
    schemas
}

/// Cuts an object's schema down to some fields, of which some are needed and then never null.
fn part(title: &str, whole: &Value, keep: impl Fn(&str) -> bool, required: &[&str]) -> Value {
    let fields = whole["properties"].as_object().into_iter().flatten().filter(|(name, _)| keep(name));
    let fields = fields.map(|(name, schema)| {
        let is_required = required.contains(&name.as_str());
        (name.clone(), if is_required { without_null(schema.clone()) } else { schema.clone() })
    });
    let fields: Map<String, Value> = fields.collect();
    json!({"title": title, "type": "object", "properties": fields, "required": required, "additionalProperties": false})
}

fn without_null(schema: Value) -> Value {
    let is_null = |value: &Value| value == "null" || value["type"] == "null";
    let Value::Object(mut schema) = schema else { return schema };
    for list in ["type", "oneOf", "anyOf"] {
        let Some(Value::Array(options)) = schema.get_mut(list) else { continue };
        options.retain(|option| !is_null(option));
        if let [only] = &options[..] {
            let only = only.clone();
            if only.is_object() {
                return only;
            }
            schema.insert(list.to_owned(), only);
        }
    }
    Value::Object(schema)
}

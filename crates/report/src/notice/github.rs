//! A notice as a GitHub issue: looked for by its marker first, so that a crash does not open it twice.
//!
//! Issues with the label `edge` are looked through, closed ones too: who closes an issue has read it. The label can be
//! set only by those who may write to the repository, so that a stranger's issue cannot keep a notice back.

use reqwest::{
    Client, Method, RequestBuilder,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue},
};
use serde::{Deserialize, Serialize};

use super::{
    Notice, NoticeError, NoticeKey, Told,
    address::{Address, Secret},
    attempt::{Miss, send},
    text::{Piece, pieces},
};

/// Where GitHub itself answers.
const API: &str = "https://api.github.com";

const LABEL: &str = "edge";

const API_VERSION: (HeaderName, &str) = (HeaderName::from_static("x-github-api-version"), "2022-11-28");

/// Issues on a page, and pages that are looked through, the newest issues first.
const PAGE: usize = 100;
const MOST_PAGES: usize = 5;

/// The issues of one repository.
#[derive(Debug, Clone)]
pub(super) struct Issues {
    api: Address,
    repository: String,
    token: Secret,
    authorization: HeaderValue,
}

#[derive(Debug, Serialize)]
struct NewIssue {
    title: String,
    body: String,
    labels: [&'static str; 1],
}

#[derive(Debug, Deserialize)]
struct Issue {
    body: Option<String>,
}

impl Issues {
    pub(super) fn new(repository: &str, token: &str, api: Option<&str>) -> Result<Self, NoticeError> {
        let (setting, reason) = ("github_repository", "write owner/name");
        let repository = repository.trim();
        let is_name = |part: &str| {
            let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
            !part.is_empty() && part.chars().all(is_plain) && !matches!(part, "." | "..")
        };
        if !repository.split_once('/').is_some_and(|(owner, name)| is_name(owner) && is_name(name)) {
            return Err(NoticeError::Setting { setting, reason });
        }
        let token = Secret::new("GITHUB_TOKEN", token)?;
        let (setting, reason) = ("GITHUB_TOKEN", "it has characters that no token has");
        let authorization = HeaderValue::from_str(&format!("Bearer {}", token.reveal()));
        let mut authorization = authorization.map_err(|_| NoticeError::Setting { setting, reason })?;
        authorization.set_sensitive(true);
        let api = Address::parse("github_api", api.unwrap_or(API))?;
        Ok(Self { api, repository: repository.to_owned(), token, authorization })
    }

    pub(super) fn address(&self) -> &Address {
        &self.api
    }

    /// Opens the issue once, unless it is there.
    pub(super) async fn open(&self, client: &Client, notice: &Notice) -> Result<Told, Miss> {
        if self.is_there(client, &notice.key).await? {
            return Ok(Told::Before);
        }
        let issue = NewIssue { title: notice.title.clone(), body: body(notice), labels: [LABEL] };
        let body = serde_json::to_vec(&issue).map_err(|error| Miss::Unsendable(Box::new(error)))?;
        let request = self.request(client, Method::POST, "").header(CONTENT_TYPE, "application/json");
        send(request.body(body), &self.api, Some(&self.token)).await?;
        Ok(Told::Now)
    }

    async fn is_there(&self, client: &Client, key: &NoticeKey) -> Result<bool, Miss> {
        let marker = marker(key);
        for page in 1..=MOST_PAGES {
            let query =
                format!("?labels={LABEL}&state=all&sort=created&direction=desc&per_page={PAGE}&page={page}");
            let request = self.request(client, Method::GET, &query);
            let answer = send(request, &self.api, Some(&self.token)).await?;
            let issues: Vec<Issue> = serde_json::from_slice(&answer).map_err(|_| Miss::NotGitHub)?;
            if issues.iter().any(|issue| issue.body.as_ref().is_some_and(|body| body.contains(&marker))) {
                return Ok(true);
            }
            if issues.len() < PAGE {
                break;
            }
        }
        Ok(false)
    }

    fn request(&self, client: &Client, method: Method, query: &str) -> RequestBuilder {
        let base = self.api.url().as_str().trim_end_matches('/');
        client
            .request(method, format!("{base}/repos/{}/issues{query}", self.repository))
            .header(ACCEPT, "application/vnd.github+json")
            .header(API_VERSION.0, API_VERSION.1)
            .header(AUTHORIZATION, self.authorization.clone())
    }
}

fn marker(key: &NoticeKey) -> String {
    format!("<!-- edge:{key} -->")
}

/// Writes the issue's Markdown.
fn body(notice: &Notice) -> String {
    let mut paragraphs: Vec<String> = notice.body.iter().map(|line| markup(line)).collect();
    paragraphs.push(marker(&notice.key));
    paragraphs.join("\n\n")
}

/// Escapes a line; what stands between backticks stays code, where nothing is marked up and nobody is mentioned.
fn markup(line: &str) -> String {
    let piece = |piece| match piece {
        Piece::Words(text) => escaped(text),
        Piece::Quote(text) => format!("`{text}`"),
    };
    pieces(line).map(piece).collect()
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\\' | '*' | '_' | '[' | ']' | '~' | '|' => escaped.extend(['\\', character]),
            // A zero-width space keeps what follows from being a mention or a reference.
            '@' | '#' => escaped.extend([character, '\u{200b}']),
            character => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_is_an_owner_and_a_name() {
        for bad in ["", "edge", "a/b/c", "a/..", "/b", "a/b?x", "https://github.com/a/b", "a b/c"] {
            let error = Issues::new(bad, "token", None).unwrap_err();
            assert_eq!(error.to_string(), "github_repository cannot be used: write owner/name", "{bad}");
        }
        assert!(Issues::new("desk/edge.ops_1", "token", Some("https://ghe.example.org/api/v3/")).is_ok());
    }

    #[test]
    fn words_become_no_markup() {
        assert_eq!(
            markup("a_b <i> @you #1 `x_y @me <i>`."),
            "a\\_b &lt;i&gt; @\u{200b}you #\u{200b}1 `x_y @me <i>`."
        );
    }
}

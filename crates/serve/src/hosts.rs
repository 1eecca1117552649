//! Which names the endpoint answers to, and which pages of a browser may change something.
//!
//! Without a token a page from anywhere could let its own name point to this machine (DNS rebinding) and read what is
//! answered. Such a request carries that name in its header `host`, so only names of this machine are answered. One
//! without the header comes from no browser and is answered.

use std::sync::Arc;

use axum::http::{
    HeaderMap, HeaderValue, Method, Uri,
    header::{HOST, ORIGIN},
    uri::Authority,
};

/// The names that are answered beside those of loopback.
#[derive(Debug, Clone)]
pub(crate) struct Hosts {
    others: Arc<[String]>,
}

impl Hosts {
    pub(crate) fn new(others: &[String]) -> Self {
        Self { others: others.iter().map(|name| bare(name).to_ascii_lowercase()).collect() }
    }

    /// Tells whether every name in the request is one of ours.
    pub(crate) fn are_ours(&self, uri: &Uri, headers: &HeaderMap) -> bool {
        let asked = uri.authority().is_none_or(|authority| self.is_ours(authority.host()));
        asked && headers.get_all(HOST).iter().all(|host| self.is_ours_in(host))
    }

    /// Tells whether a browser put the request for a page of another site.
    ///
    /// Reading is left alone: what is answered is shown to no such page unless [`cors`](crate::cors) lets it.
    pub(crate) fn is_foreign(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> bool {
        if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
            return false;
        }
        let Some(origin) = headers.get(ORIGIN) else { return false };
        let authority = origin.to_str().ok().and_then(|text| text.split_once("://")).map(|(_, rest)| rest);
        let Some(authority) = authority else { return true };
        let own = headers.get(HOST).and_then(|host| host.to_str().ok());
        let own = own.or_else(|| uri.authority().map(Authority::as_str));
        let is_own = own.is_some_and(|own| own.eq_ignore_ascii_case(authority));
        let listed = || authority.parse().is_ok_and(|it: Authority| self.is_listed(bare(it.host())));
        !is_own && !listed()
    }

    fn is_ours_in(&self, host: &HeaderValue) -> bool {
        let authority = host.to_str().ok().and_then(|text| text.parse::<Authority>().ok());
        authority.is_some_and(|authority| self.is_ours(authority.host()))
    }

    fn is_ours(&self, host: &str) -> bool {
        let host = bare(host);
        is_loopback(host) || self.is_listed(host)
    }

    fn is_listed(&self, host: &str) -> bool {
        self.others.iter().any(|other| other.eq_ignore_ascii_case(host))
    }
}

/// Takes the brackets of an address of version 6 away, and the dot that ends a full name.
fn bare(host: &str) -> &str {
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    bare.unwrap_or_else(|| host.strip_suffix('.').unwrap_or(host))
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse().is_ok_and(|ip: std::net::IpAddr| ip.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pairs = pairs.iter().map(|(name, value)| ((*name).parse().unwrap(), value.parse().unwrap()));
        let mut headers = HeaderMap::new();
        pairs.for_each(|(name, value): (axum::http::HeaderName, _)| {
            headers.append(name, value);
        });
        headers
    }

    #[test]
    fn only_names_of_this_machine_are_ours() {
        let hosts = Hosts::new(&["Edge.example.".to_owned()]);
        let path = Uri::from_static("/v1/model");
        for (host, ours) in [
            ("localhost", true),
            ("LOCALHOST:8000", true),
            ("localhost.:8000", true),
            ("127.0.0.1:8000", true),
            ("127.9.9.9", true),
            ("[::1]:8000", true),
            ("[::ffff:127.0.0.1]", true),
            ("edge.example:1", true),
            ("evil.example", false),
            ("localhost.evil.example", false),
            ("127.0.0.1.evil.example", false),
            ("localhost@evil.example", false),
            ("10.0.0.1", false),
            ("0.0.0.0", false),
            ("[::1", false),
            ("", false),
        ] {
            assert_eq!(hosts.are_ours(&path, &headers(&[("host", host)])), ours, "{host}");
        }
        assert!(hosts.are_ours(&path, &HeaderMap::new()));
        assert!(!hosts.are_ours(&path, &headers(&[("host", "localhost"), ("host", "evil.example")])));
        let absolute = Uri::from_static("http://evil.example/v1/model");
        assert!(!hosts.are_ours(&absolute, &headers(&[("host", "localhost")])));
    }

    #[test]
    fn a_page_of_another_site_changes_nothing() {
        let hosts = Hosts::new(&["edge.example".to_owned()]);
        let path = Uri::from_static("/v1/reload");
        let foreign = |method: Method, origin: &str| {
            hosts.is_foreign(&method, &path, &headers(&[("host", "127.0.0.1:8000"), ("origin", origin)]))
        };
        assert!(foreign(Method::POST, "https://evil.example"));
        assert!(foreign(Method::POST, "null"));
        assert!(foreign(Method::DELETE, "http://127.0.0.1:9999"), "another program of this machine");
        assert!(!foreign(Method::POST, "http://127.0.0.1:8000"));
        assert!(!foreign(Method::POST, "https://edge.example"));
        assert!(!foreign(Method::GET, "https://evil.example"));
        assert!(!hosts.is_foreign(&Method::POST, &path, &HeaderMap::new()));
    }
}

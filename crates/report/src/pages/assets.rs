//! Static files: the stylesheet, the script, the icon; each under a name that changes with its content.

use sha2::{Digest, Sha256};

use super::Route;
use crate::{format::hexadecimal, templates::sources::Sources};

/// Digits of the content's hash within the name.
const DIGITS: usize = 12;

/// A file to be served as it is, for as long as anybody likes to keep it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asset {
    /// Where it is served: a [`Route::Asset`].
    pub path: String,
    /// Its media type.
    pub content_type: &'static str,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl Asset {
    fn take(sources: &mut Sources, name: &str, ending: &str, content_type: &'static str) -> Self {
        let bytes = sources.take(&format!("{name}.{ending}")).unwrap_or_default().into_bytes();
        let hash = hexadecimal(&Sha256::digest(&bytes));
        let file = format!("{name}-{}.{ending}", hash.get(..DIGITS).unwrap_or_default());
        Self { path: Route::Asset(file).to_string(), content_type, bytes }
    }
}

/// The three files.
#[derive(Debug)]
pub(super) struct Assets([Asset; 3]);

impl Assets {
    pub(super) fn take(sources: &mut Sources) -> Self {
        Self([
            Asset::take(sources, "edge", "css", "text/css; charset=utf-8"),
            Asset::take(sources, "edge", "js", "text/javascript; charset=utf-8"),
            Asset::take(sources, "edge", "svg", "image/svg+xml"),
        ])
    }

    pub(super) fn all(&self) -> &[Asset] {
        &self.0
    }

    /// Returns the paths of stylesheet, script and icon.
    pub(super) fn paths(&self) -> [String; 3] {
        self.0.each_ref().map(|asset| asset.path.clone())
    }
}

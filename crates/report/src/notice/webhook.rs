//! A notice for programs: one JSON document, signed when there is a secret.
//!
//! # Example
//! A receiver checks who sent it by signing the body's bytes itself:
//! ```
//! use report::notice::signature;
//! let (body, header) = (br#"{"schema_version":1}"#, "sha256=");
//! assert!(signature("shared secret", body).starts_with(header));
//! assert_ne!(signature("shared secret", body), signature("another", body));
//! ```

use reqwest::{
    Client,
    header::{CONTENT_TYPE, HeaderName},
};
use ring::hmac;
use serde::Serialize;

use super::{
    Notice,
    address::{Address, Secret},
    attempt::{Miss, send},
};
use crate::format::hexadecimal;

/// Version of the document: raised when a reader of the last one would go wrong.
pub const SCHEMA_VERSION: u32 = 1;

const SIGNATURE: HeaderName = HeaderName::from_static("x-edge-signature");
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

#[derive(Debug, Serialize)]
struct Document<'a> {
    schema_version: u32,
    #[serde(flatten)]
    notice: &'a Notice,
}

/// Returns what `x-edge-signature` holds: `sha256=` and the HMAC-SHA256 of `body` under `secret`, hexadecimal.
pub fn signature(secret: &str, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    format!("sha256={}", hexadecimal(hmac::sign(&key, body).as_ref()))
}

/// Posts the document once.
pub(super) async fn post(
    client: &Client,
    address: &Address,
    secret: Option<&Secret>,
    notice: &Notice,
) -> Result<(), Miss> {
    let document = Document { schema_version: SCHEMA_VERSION, notice };
    let body = serde_json::to_vec(&document).map_err(|error| Miss::Unsendable(Box::new(error)))?;
    let mut request = client
        .post(address.url().clone())
        .header(CONTENT_TYPE, "application/json")
        .header(IDEMPOTENCY_KEY, notice.key.as_str());
    if let Some(secret) = secret {
        request = request.header(SIGNATURE, signature(secret.reveal(), &body));
    }
    send(request.body(body), address, secret).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_the_one_of_rfc_4231() {
        // Test case 2 there.
        assert_eq!(
            signature("Jefe", b"what do ya want for nothing?"),
            "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }
}

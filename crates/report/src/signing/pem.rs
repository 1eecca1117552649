//! Private keys in PEM.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ring::signature::{Ed25519KeyPair, RsaKeyPair};

use super::Key;

/// Reads the first private key; the error never holds a part of it.
pub(super) fn key(pem: &str) -> Result<Key, &'static str> {
    let (_, rest) = pem.split_once("-----BEGIN ").ok_or("it is no PEM file")?;
    let (label, rest) = rest.split_once("-----").ok_or("its first line does not end in -----")?;
    let (text, _) = rest.split_once("-----END ").ok_or("its last line is missing")?;
    let text: String = text.split_whitespace().collect();
    let bytes = || STANDARD.decode(&text).map_err(|_| "its text is not base64");
    match label {
        "RSA PRIVATE KEY" if text.contains("ENCRYPTED") => {
            Err("it is encrypted; write it without a password")
        }
        "RSA PRIVATE KEY" => rsa(RsaKeyPair::from_der(&bytes()?)),
        "PRIVATE KEY" => {
            let bytes = bytes()?;
            match Ed25519KeyPair::from_pkcs8_maybe_unchecked(&bytes) {
                Ok(key) => Ok(Key::Ed25519(key)),
                Err(_) => rsa(RsaKeyPair::from_pkcs8(&bytes)),
            }
        }
        "ENCRYPTED PRIVATE KEY" => Err("it is encrypted; write it without a password"),
        "PUBLIC KEY" | "RSA PUBLIC KEY" => Err("it is a public key; the private one signs"),
        _ => Err("it is no private key; write PRIVATE KEY or RSA PRIVATE KEY in PEM"),
    }
}

fn rsa(read: Result<RsaKeyPair, ring::error::KeyRejected>) -> Result<Key, &'static str> {
    read.map(|key| Key::Rsa(Box::new(key)))
        .map_err(|_| "it is neither an RSA key of 2048 to 4096 bits nor an Ed25519 key")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_a_key_is_told_without_the_key() {
        let pem =
            |label: &str, text: &str| format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n");
        let told = |pem: &str| key(pem).err().unwrap();
        assert_eq!(told(&pem("PRIVATE KEY", "c2VjcmV0")), told(&pem("RSA PRIVATE KEY", "c2VjcmV0")));
        assert_eq!(told(&pem("PRIVATE KEY", "§")), "its text is not base64");
        assert!(told(&pem("ENCRYPTED PRIVATE KEY", "")).contains("without a password"));
        assert!(told(&pem("PUBLIC KEY", "")).contains("private one signs"));
        assert!(told("-----BEGIN PRIVATE KEY-----\nc2VjcmV0").contains("last line"));
    }
}

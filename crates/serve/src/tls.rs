//! The endpoint's certificate: read from two PEM files, and read again when they change.
//!
//! # Example
//! ```
//! use serve::{CertificateFiles, Listener, Settings};
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! let certificate = CertificateFiles { certificate: "no/chain.pem".into(), key: "no/key.pem".into() };
//! let listen = "127.0.0.1:0".parse().unwrap();
//! let settings = Settings { listen, certificate: Some(certificate), ..Settings::default() };
//! let error = Listener::open(&settings).await.unwrap_err();
//! assert!(error.to_string().contains("no/chain.pem"));
//! # });
//! ```

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use sha2::{Digest as _, Sha256};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        self, ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
        server::{ClientHello, ResolvesServerCert},
        sign::CertifiedKey,
    },
};

/// Where the certificate is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFiles {
    /// PEM: the certificate, then those that vouch for it.
    pub certificate: PathBuf,
    /// PEM: its private key.
    pub key: PathBuf,
}

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// A file cannot be read.
    #[error("cannot read {file}")]
    Read {
        /// Which.
        file: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A file holds something else.
    #[error("{file} holds no {wanted} in PEM: {found}")]
    Pem {
        /// Which.
        file: PathBuf,
        /// What it should hold.
        wanted: &'static str,
        /// What was found instead.
        found: String,
    },
    /// The two do not go together, or are of a kind that is not supported.
    #[error("the key in {key} cannot be used with the certificate in {certificate}")]
    Pair {
        /// File of the certificate.
        certificate: PathBuf,
        /// File of the key.
        key: PathBuf,
        /// What the library said.
        #[source]
        source: rustls::Error,
    },
    /// The library cannot be set up.
    #[error("TLS cannot be set up")]
    SetUp(#[source] rustls::Error),
}

/// Speaks TLS with the certificate that the files held when they were last read.
pub(crate) struct Tls {
    files: CertificateFiles,
    held: Arc<Held>,
    /// Hash of what was read last, usable or not.
    seen: Mutex<[u8; 32]>,
    config: Arc<ServerConfig>,
}

#[derive(Debug)]
struct Held(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Held {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.read().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

impl Tls {
    /// Reads the files.
    pub(crate) fn load(files: CertificateFiles) -> Result<Self, CertificateError> {
        let (bytes, hash) = read(&files)?;
        let held = Arc::new(Held(RwLock::new(Arc::new(pair(&files, &bytes)?))));
        let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder = builder.with_safe_default_protocol_versions().map_err(CertificateError::SetUp)?;
        let mut config = builder.with_no_client_auth().with_cert_resolver(held.clone());
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self { files, held, seen: Mutex::new(hash), config: Arc::new(config) })
    }

    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.config.clone())
    }

    /// Takes changed files, for connections from now on; says whether it did. On an error the old certificate stays,
    /// and the same bytes are not complained about twice.
    pub(crate) fn refresh(&self) -> Result<bool, CertificateError> {
        let (bytes, hash) = read(&self.files)?;
        if std::mem::replace(&mut *self.seen.lock().unwrap_or_else(PoisonError::into_inner), hash) == hash {
            return Ok(false);
        }
        let fresh = Arc::new(pair(&self.files, &bytes)?);
        *self.held.0.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(true)
    }
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").field("files", &self.files).finish_non_exhaustive()
    }
}

type Pem = (Vec<u8>, Vec<u8>);

fn read(files: &CertificateFiles) -> Result<(Pem, [u8; 32]), CertificateError> {
    let bytes = |file: &Path| {
        fs::read(file).map_err(|source| CertificateError::Read { file: file.to_owned(), source })
    };
    let pem = (bytes(&files.certificate)?, bytes(&files.key)?);
    let hash = Sha256::new().chain_update(Sha256::digest(&pem.0)).chain_update(&pem.1).finalize();
    Ok((pem, hash.into()))
}

fn pair(files: &CertificateFiles, (chain, key): &Pem) -> Result<CertifiedKey, CertificateError> {
    let pem =
        |file: &Path, wanted, found: String| CertificateError::Pem { file: file.to_owned(), wanted, found };
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(chain).collect();
    let chain = chain.map_err(|error| pem(&files.certificate, "certificate", error.to_string())).and_then(
        |chain| {
            let is_there = !chain.is_empty();
            is_there
                .then_some(chain)
                .ok_or_else(|| pem(&files.certificate, "certificate", "nothing".to_owned()))
        },
    )?;
    // The library's words may quote a line, which of a key nobody should see.
    let key = PrivateKeyDer::from_pem_slice(key)
        .map_err(|_| pem(&files.key, "private key", "nothing usable".to_owned()))?;
    CertifiedKey::from_der(chain, key, &ring::default_provider()).map_err(|source| CertificateError::Pair {
        certificate: files.certificate.clone(),
        key: files.key.clone(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Folder(tempfile::TempDir);

    impl Folder {
        fn files(&self) -> CertificateFiles {
            let at = |name| self.0.path().join(name);
            CertificateFiles { certificate: at("chain.pem"), key: at("key.pem") }
        }

        fn write(&self, certificate: &str, key: &str) {
            fs::write(self.files().certificate, certificate).unwrap();
            fs::write(self.files().key, key).unwrap();
        }
    }

    fn made() -> (String, String) {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        (made.cert.pem(), made.signing_key.serialize_pem())
    }

    #[test]
    fn what_is_wrong_with_a_certificate_names_the_file() {
        let folder = Folder(tempfile::tempdir().unwrap());
        let ((certificate, key), (_, other_key)) = (made(), made());
        let said = |certificate: &str, key: &str| {
            folder.write(certificate, key);
            Tls::load(folder.files()).map(|_| ()).map_err(|error| error.to_string()).unwrap_err()
        };
        assert!(said("", &key).contains("chain.pem holds no certificate"));
        assert!(said(&key, &key).contains("chain.pem holds no certificate"));
        assert!(said(&certificate, "").contains("key.pem holds no private key"));
        assert!(said(&certificate, &certificate).contains("key.pem holds no private key"));
        assert!(said(&certificate, &other_key).contains("cannot be used with"));
        assert!(
            said("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n", &key).contains("chain.pem")
        );
        folder.write(&certificate, &key);
        assert!(Tls::load(folder.files()).is_ok());
        fs::remove_file(folder.files().key).unwrap();
        assert!(Tls::load(folder.files()).unwrap_err().to_string().contains("key.pem"));
    }

    #[test]
    fn a_changed_certificate_is_taken_and_a_bad_one_is_not() {
        let folder = Folder(tempfile::tempdir().unwrap());
        let (certificate, key) = made();
        folder.write(&certificate, &key);
        let tls = Tls::load(folder.files()).unwrap();
        let held = || tls.held.0.read().unwrap().cert[0].clone();
        let first = held();
        assert!(!tls.refresh().unwrap());
        folder.write("half", &key);
        assert!(tls.refresh().is_err());
        assert!(!tls.refresh().unwrap(), "said once");
        assert_eq!(held(), first);
        let (certificate, key) = made();
        folder.write(&certificate, &key);
        assert!(tls.refresh().unwrap());
        assert_ne!(held(), first);
    }
}

//! One root for everything that is kept: a folder, or a bucket by URL; writes are whole or absent.
//!
//! # Example
//! ```
//! let folder = tempfile::tempdir().unwrap();
//! let store = data::Store::open(folder.path().to_str().unwrap()).unwrap();
//! assert!(store.put_if_absent("models/best.json", b"{}").unwrap());
//! assert!(!store.put_if_absent("models/best.json", b"other").unwrap(), "the first write stays");
//! assert_eq!(store.get("models/best.json").unwrap(), b"{}");
//! assert_eq!(store.list("models").unwrap(), ["models/best.json"]);
//! assert!(store.try_get("models/none.json").unwrap().is_none());
//! ```

use std::{
    fmt,
    io::{self, Read},
    path::PathBuf,
    sync::Arc,
};

use futures::TryStreamExt;
use object_store::{
    Error as ObjectError, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload, WriteMultipart,
    local::LocalFileSystem, path::Path, prefix::PrefixStore,
};
use reqwest::Url;

use crate::{DataError, blocking::Blocking};

/// Bytes of a file that are sent at a time.
const PIECE: usize = 8 << 20;

/// Blocking access to the objects below one root; cheap to clone.
///
/// Paths are relative to the root, with `/` between parts. It may be used from synchronous and asynchronous callers.
#[derive(Clone)]
pub struct Store {
    objects: Arc<dyn ObjectStore>,
    blocking: Arc<Blocking>,
    root: String,
    folder: Option<PathBuf>,
}

impl Store {
    /// Opens a folder (created when it is absent) or a URL (`file://`, and `s3://`, `gs://`, `az://` in builds with them).
    pub fn open(root: &str) -> Result<Self, DataError> {
        Self::open_with(root, std::iter::empty())
    }

    /// Opens like [`open`](Self::open), with options of the provider such as `aws_region`; unknown ones are ignored.
    pub fn open_with(
        root: &str,
        options: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, DataError> {
        let folder = folder_of(root)?;
        let objects = match &folder {
            Some(folder) => open_folder(folder, root)?,
            None => open_url(root, options)?,
        };
        let blocking =
            Blocking::new().map_err(|cause| open_error(root, "no runtime could be started", cause))?;
        Ok(Self { objects, blocking: Arc::new(blocking), root: root.to_owned(), folder })
    }

    /// Returns the folder on this machine that the store is; none for a bucket.
    pub fn folder(&self) -> Option<&std::path::Path> {
        self.folder.as_deref()
    }

    /// Returns the folder or URL as it was given.
    pub fn root(&self) -> &str {
        &self.root
    }

    /// Reads an object; a missing one is an error.
    pub fn get(&self, path: &str) -> Result<Vec<u8>, DataError> {
        let location = self.location(path)?;
        self.run("read", path, async { Ok(self.objects.get(&location).await?.bytes().await?.to_vec()) })
    }

    /// Reads an object if there is one.
    pub fn try_get(&self, path: &str) -> Result<Option<Vec<u8>>, DataError> {
        let location = self.location(path)?;
        self.run("read", path, async {
            match self.objects.get(&location).await {
                Ok(found) => Ok(Some(found.bytes().await?.to_vec())),
                Err(ObjectError::NotFound { .. }) => Ok(None),
                Err(error) => Err(error),
            }
        })
    }

    /// Returns whether an object is there.
    pub fn exists(&self, path: &str) -> Result<bool, DataError> {
        let location = self.location(path)?;
        self.run("read", path, async {
            match self.objects.head(&location).await {
                Ok(_) => Ok(true),
                Err(ObjectError::NotFound { .. }) => Ok(false),
                Err(error) => Err(error),
            }
        })
    }

    /// Writes an object, replacing what was there; a reader sees the old or the new bytes, never a part.
    pub fn put(&self, path: &str, bytes: &[u8]) -> Result<(), DataError> {
        let location = self.location(path)?;
        let payload = PutPayload::from(bytes.to_vec());
        self.run("write", path, async { self.objects.put(&location, payload).await.map(drop) })
    }

    /// Writes an object unless one is there; returns whether it was written.
    pub fn put_if_absent(&self, path: &str, bytes: &[u8]) -> Result<bool, DataError> {
        let location = self.location(path)?;
        let payload = PutPayload::from(bytes.to_vec());
        let options = PutOptions::from(PutMode::Create);
        self.run("write", path, async {
            match self.objects.put_opts(&location, payload, options).await {
                Ok(_) => Ok(true),
                Err(ObjectError::AlreadyExists { .. }) => Ok(false),
                Err(error) => Err(error),
            }
        })
    }

    /// Writes a file's bytes as an object unless one is there, a piece at a time; returns whether it was written.
    ///
    /// The object appears as a whole when the last piece is written.
    pub fn put_file(&self, path: &str, file: &std::path::Path) -> Result<bool, DataError> {
        if self.exists(path)? {
            return Ok(false);
        }
        let location = self.location(path)?;
        self.run("write", path, async {
            let failed =
                |cause: io::Error| ObjectError::Generic { store: "local file", source: Box::new(cause) };
            let mut file = std::fs::File::open(file).map_err(failed)?;
            let mut upload = WriteMultipart::new(self.objects.put_multipart(&location).await?);
            loop {
                let mut piece = Vec::with_capacity(PIECE);
                (&mut file).take(PIECE as u64).read_to_end(&mut piece).map_err(failed)?;
                if piece.is_empty() {
                    return upload.finish().await.map(|_| true);
                }
                upload.wait_for_capacity(2).await?;
                upload.put(piece.into());
            }
        })
    }

    /// Lists the objects below a folder, sorted; an empty prefix lists all, a missing folder none.
    pub fn list(&self, prefix: &str) -> Result<Vec<String>, DataError> {
        let location = self.location(prefix)?;
        let mut paths = self.run("list", prefix, async {
            let metas = self.objects.list(Some(&location)).try_collect::<Vec<_>>().await?;
            Ok(metas.into_iter().map(|meta| meta.location.to_string()).collect::<Vec<_>>())
        })?;
        paths.sort_unstable();
        Ok(paths)
    }

    /// Deletes an object; a missing one is fine.
    pub fn delete(&self, path: &str) -> Result<(), DataError> {
        let location = self.location(path)?;
        self.run("delete", path, async {
            match self.objects.delete(&location).await {
                Err(ObjectError::NotFound { .. }) | Ok(()) => Ok(()),
                Err(error) => Err(error),
            }
        })
    }

    fn location(&self, path: &str) -> Result<Path, DataError> {
        Path::parse(path).map_err(|cause| self.error("use", path, Box::new(cause)))
    }

    fn run<T: Send>(
        &self,
        action: &'static str,
        path: &str,
        future: impl Future<Output = object_store::Result<T>> + Send,
    ) -> Result<T, DataError> {
        let outcome = self.blocking.run(future).map_err(|cause| self.error(action, path, Box::new(cause)))?;
        outcome.map_err(|cause| self.error(action, path, Box::new(cause)))
    }

    fn error(
        &self,
        action: &'static str,
        path: &str,
        cause: Box<dyn std::error::Error + Send + Sync>,
    ) -> DataError {
        let advice = advice(cause.as_ref()).to_owned();
        DataError::Store { action, path: path.to_owned(), root: self.root.clone(), advice, cause }
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("root", &self.root).finish_non_exhaustive()
    }
}

/// Returns the folder that a root names, as a path or as a `file://` URL; none for another URL.
fn folder_of(root: &str) -> Result<Option<PathBuf>, DataError> {
    if !root.contains("://") {
        return Ok(Some(PathBuf::from(root)));
    }
    let url = Url::parse(root).map_err(|cause| open_error(root, "the URL cannot be read", cause))?;
    Ok(url.scheme().eq("file").then(|| url.to_file_path().ok()).flatten())
}

fn open_folder(folder: &std::path::Path, root: &str) -> Result<Arc<dyn ObjectStore>, DataError> {
    if root.trim().is_empty() {
        let problem = "the name is empty; set `store` to a folder or a URL".to_owned();
        return Err(DataError::Open { root: root.to_owned(), problem, cause: None });
    }
    std::fs::create_dir_all(folder).map_err(|cause| {
        open_error(root, "the folder cannot be created; choose one that this user may write", cause)
    })?;
    let local = LocalFileSystem::new_with_prefix(folder)
        .map_err(|cause| open_error(root, "the folder cannot be entered; check its rights", cause))?;
    Ok(Arc::new(local))
}

fn open_url(
    root: &str,
    options: impl IntoIterator<Item = (String, String)>,
) -> Result<Arc<dyn ObjectStore>, DataError> {
    let url = Url::parse(root).map_err(|cause| open_error(root, "the URL cannot be read", cause))?;
    let problem =
        "this build has no support for such a URL; use a folder or s3://, gs://, az:// with the feature on";
    let (objects, path) =
        object_store::parse_url_opts(&url, options).map_err(|cause| open_error(root, problem, cause))?;
    Ok(Arc::new(PrefixStore::new(Arc::<dyn ObjectStore>::from(objects), path)))
}

fn open_error(root: &str, problem: &str, cause: impl std::error::Error + Send + Sync + 'static) -> DataError {
    DataError::Open { root: root.to_owned(), problem: problem.to_owned(), cause: Some(Box::new(cause)) }
}

/// Finds the operating system's word behind a failure and says what to do about it.
fn advice(cause: &(dyn std::error::Error + 'static)) -> &'static str {
    let mut next = Some(cause);
    while let Some(error) = next {
        if matches!(error.downcast_ref(), Some(ObjectError::NotFound { .. })) {
            return "there is no such object";
        }
        if let Some(kind) = error.downcast_ref::<io::Error>().map(io::Error::kind) {
            match kind {
                io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                    return "it is read-only for this user; give the right to write or choose another store";
                }
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                    return "the disk is full; make room and run again";
                }
                io::ErrorKind::NotADirectory => return "a file stands where a folder must be; move it away",
                _ => {}
            }
        }
        next = error.source();
    }
    "check that the store can be reached and run again"
}

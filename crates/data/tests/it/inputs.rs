//! Where inputs come from, and what is said when they are not what they should be.

use std::{
    io::{Read, Write},
    net::TcpListener,
    thread::JoinHandle,
};

use data::{DataError, Location, Payload, Pull, Source, Store};
use flate2::{Compression, write::GzEncoder};

use crate::support::{SEASON, at, folder, football, lake, write};

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn pull() -> Pull<'static> {
    Pull::new(at("2022-10-15T09:00:00Z"))
}

fn pulled(entry: &str) -> Result<Vec<Payload>, DataError> {
    pull().location(&Location::new([entry]))
}

fn names(location: &Location) -> Vec<String> {
    pull().location(location).unwrap().into_iter().map(|payload| payload.name).collect()
}

/// Answers one request with `answer` and returns the address.
fn serve_once(answer: Vec<u8>) -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/mmz4281/2223/E0.csv", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let mut request = [0; 2048];
        let _ = socket.read(&mut request).unwrap();
        socket.write_all(&answer).unwrap();
    });
    (address, server)
}

fn ok(body: &str, length: usize) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}").into_bytes()
}

#[test]
fn files_folders_globs_and_lists_are_read_in_order() {
    let folder = folder();
    let b = write(&folder, "b.csv", "b");
    write(&folder, "a.csv.gz", gzip("a"));
    write(&folder, ".hidden", "x");
    let root = folder.path().to_str().unwrap();
    assert_eq!(names(&Location::new([root])), ["a.csv", "b.csv"]);
    assert_eq!(names(&Location::new([format!("{root}/*.gz")])), ["a.csv"]);
    assert_eq!(names(&Location::new([b, format!("{root}/?.csv.gz")])), ["b.csv", "a.csv"]);
    assert_eq!(pulled(root).unwrap()[0].bytes, b"a");
}

#[test]
fn one_text_or_a_list_is_a_location_in_settings() {
    let one: Location = serde_json::from_str(r#""a.csv""#).unwrap();
    let many: Location = serde_json::from_str(r#"["a.csv","b.csv"]"#).unwrap();
    assert_eq!((one.entries().len(), many.entries().len()), (1, 2));
}

#[test]
fn what_is_not_there_is_named() {
    let folder = folder();
    let root = folder.path().to_str().unwrap();
    for entry in [format!("{root}/none.csv"), format!("{root}/none_*.csv"), root.to_owned()] {
        let error = pulled(&entry).unwrap_err().to_string();
        assert!(error.contains(&entry) && error.contains("check the path"), "{error}");
    }
    assert!(pull().location(&Location::new(Vec::<String>::new())).is_err());
}

#[test]
fn a_truncated_gzip_is_an_error_and_writes_nothing() {
    let folder = folder();
    let packed = gzip(&SEASON.repeat(50));
    let path = write(&folder, "E0.csv.gz", &packed[..packed.len() / 2]);
    let lake = lake(&folder);
    let error = lake.ingest(&football(&path), at("2022-10-15T09:00:00Z")).unwrap_err().to_string();
    assert!(
        error.contains("E0.csv.gz") && error.contains("truncated or damaged; download it again"),
        "{error}"
    );
    assert!(lake.store().list("").unwrap().is_empty());
}

#[test]
fn a_season_with_missing_columns_is_an_error_that_names_them() {
    let folder = folder();
    let season = SEASON.replace("FTHG,FTAG", "XX,YY");
    let source = football(&write(&folder, "E0_2022-23.csv", season));
    let error = lake(&folder).ingest(&source, at("2022-10-15T09:00:00Z")).unwrap_err();
    insta::assert_snapshot!(error, @"cannot read `E0_2022-23.csv`: columns `FTHG`, `FTAG` are missing; take a file in the football-data.co.uk main layout");
}

#[test]
fn a_url_is_fetched() {
    let (address, server) = serve_once(ok(SEASON, SEASON.len()));
    let payload = football(&address).fetch(&pull()).unwrap().remove(0);
    server.join().unwrap();
    assert_eq!((payload.name.as_str(), payload.bytes.as_slice()), ("E0.csv", SEASON.as_bytes()));
}

#[test]
fn a_refusing_server_is_an_error() {
    let (address, server) = serve_once(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n".to_vec());
    let error = pulled(&address).unwrap_err().to_string();
    server.join().unwrap();
    assert!(error.contains(&address) && error.contains("404"), "{error}");
}

#[test]
fn a_store_that_cannot_be_a_folder_is_named() {
    let folder = folder();
    let file = write(&folder, "file", "x");
    let error = Store::open(&format!("{file}/store")).unwrap_err().to_string();
    assert!(error.contains(&file) && error.contains("choose one that this user may write"), "{error}");
    let error = Store::open("s4://bucket/x").unwrap_err().to_string();
    assert!(error.contains("s4://bucket/x"), "{error}");
}

#[test]
fn a_write_where_a_file_blocks_the_folder_says_so() {
    let folder = folder();
    let lake = lake(&folder);
    lake.store().put("data", b"a file in the way").unwrap();
    let source = football(&write(&folder, "E0.csv", SEASON));
    let error = lake.ingest(&source, at("2022-10-15T09:00:00Z")).unwrap_err().to_string();
    assert!(error.contains("data/") && error.contains("move it away"), "{error}");
}

#[test]
fn a_store_opens_by_file_url_too_and_serves_asynchronous_callers() {
    let folder = folder();
    let store = Store::open(&format!("file://{}/s", folder.path().display())).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        store.put("a/b", b"one").unwrap();
        store.put("a/b", b"two").unwrap();
        assert_eq!(store.get("a/b").unwrap(), b"two");
        drop(store);
    });
    assert_eq!(std::fs::read(folder.path().join("s/a/b")).unwrap(), b"two");
}

#[test]
fn a_missing_object_is_named() {
    let folder = folder();
    let store = Store::open(folder.path().to_str().unwrap()).unwrap();
    let error = store.get("models/best.pt").unwrap_err().to_string();
    assert!(error.starts_with("cannot read `models/best.pt` in the store"), "{error}");
    assert!(error.ends_with("there is no such object"), "{error}");
    assert!(store.get("../outside").is_err() && !store.exists("models/best.pt").unwrap());
    assert!(store.delete("models/best.pt").is_ok());
}

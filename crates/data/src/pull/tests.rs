//! What each way in which a server can fail leads to.

use std::time::Duration;

use super::*;
use crate::{
    FootballData, Source,
    http::tests::{Act, Server, brief, whole},
};

const SEASON: &str = "Div,Date,Time,HomeTeam,AwayTeam,FTHG,FTAG,B365H,B365D,B365A\nE0,14/10/2022,20:00,Brentford,Brighton,2,0,3.1,3.4,2.3\n";

fn ok(body: &str) -> Act {
    Act::Say(whole("200 OK", "", body))
}

fn status(line: &str) -> Act {
    Act::Say(whole(line, "", ""))
}

fn raw(bytes: impl Into<Vec<u8>>) -> Act {
    Act::Say(bytes.into())
}

/// Pulls and reads, and says what came of it after how many requests.
fn outcome(acts: Vec<Act>) -> String {
    let server = Server::playing(acts);
    let address = server.url.to_string();
    let league = FootballData::league("epl", "Europe/London").unwrap();
    let source = FootballData::new(league, Location::new([address.as_str()]), FootballData::LEADS).unwrap();
    let mut pull = Pull::new("2022-10-15T09:00:00Z".parse().unwrap());
    pull.patience = Patience { first_wait: Duration::from_millis(5), ..brief() };
    let read = source.fetch(&pull).and_then(|payloads| source.parse(&payloads[0], &"hash".into()));
    let told = match read {
        Ok(parsed) => format!("{} prices, {} result", parsed.lines.len(), parsed.results.len()),
        Err(error) => {
            let error = error.to_string();
            assert!(!error.contains("secret"), "{error}");
            error.replace(&format!("cannot fetch `{}`: ", without_secrets(&server.url)), "")
        }
    };
    format!("{} asked | {told}", server.asked())
}

#[test]
fn every_way_to_fail_has_its_outcome() {
    let good = || ok(SEASON);
    let ways: Vec<(&str, Vec<Act>)> = vec![
        ("sound", vec![good()]),
        ("400 for ever", vec![status("400 Bad Request")]),
        ("401 for ever", vec![status("401 Unauthorized")]),
        ("403 for ever", vec![status("403 Forbidden")]),
        ("404 for ever", vec![status("404 Not Found")]),
        ("410 for ever", vec![status("410 Gone")]),
        ("408, then sound", vec![status("408 Request Timeout"), good()]),
        ("425, then sound", vec![status("425 Too Early"), good()]),
        ("429, then sound", vec![status("429 Too Many Requests"), good()]),
        ("429 for ever", vec![status("429 Too Many Requests")]),
        ("500, then sound", vec![status("500 Internal Server Error"), good()]),
        ("502, then sound", vec![status("502 Bad Gateway"), good()]),
        ("503 for ever", vec![status("503 Service Unavailable")]),
        ("504, then sound", vec![status("504 Gateway Timeout"), good()]),
        ("304 that nobody asked for", vec![status("304 Not Modified")]),
        ("cut body, then sound", vec![raw("HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\nDiv,Da"), good()]),
        ("cut body for ever", vec![raw("HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\nDiv,Da")]),
        (
            "broken chunks, then sound",
            vec![raw("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nDiv,D\r\nzz\r\n"), good()],
        ),
        (
            "broken gzip, then sound",
            vec![
                raw("HTTP/1.1 200 OK\r\ncontent-length: 9\r\ncontent-encoding: gzip\r\n\r\nnot gzip!"),
                good(),
            ],
        ),
        ("another protocol, then sound", vec![raw("SSH-2.0-OpenSSH_9.6\r\n"), good()]),
        ("hangs up, then sound", vec![raw(""), good()]),
        ("silent, then sound", vec![Act::Hang(Vec::new()), good()]),
        ("silent for ever", vec![Act::Hang(Vec::new())]),
        (
            "silent in the middle, then sound",
            vec![Act::Hang(b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\nDiv".to_vec()), good()],
        ),
        ("too large", vec![ok(&"x".repeat(70_000))]),
        ("endless", vec![raw(format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(200_000)))]),
        ("redirect, then sound", vec![raw(whole("302 Found", "location: /elsewhere.csv\r\n", "")), good()]),
        ("redirect in a circle", vec![raw(whole("302 Found", "location: /E0.csv\r\n", ""))]),
        ("a web page", vec![ok("<!DOCTYPE html><html>maintenance</html>")]),
        ("nothing", vec![ok("")]),
        ("JSON", vec![ok("{\"error\": \"no such file\"}")]),
        ("renamed columns", vec![ok(&SEASON.replace("HomeTeam", "Heimmannschaft"))]),
        ("a line cut short", vec![ok(&SEASON[..SEASON.len() - 12])]),
    ];
    let shown: Vec<String> =
        ways.into_iter().map(|(way, acts)| format!("{way} | {}", outcome(acts))).collect();
    insta::assert_snapshot!(shown.join("\n"), @r"
    sound | 1 asked | 3 prices, 1 result
    400 for ever | 1 asked | the server answered 400 Bad Request; check the address
    401 for ever | 1 asked | the server answered 401 Unauthorized; check the key and its rights
    403 for ever | 1 asked | the server answered 403 Forbidden; check the key and its rights
    404 for ever | 1 asked | the server answered 404 Not Found; check the address
    410 for ever | 1 asked | the server answered 410 Gone; check the address
    408, then sound | 2 asked | 3 prices, 1 result
    425, then sound | 2 asked | 3 prices, 1 result
    429, then sound | 2 asked | 3 prices, 1 result
    429 for ever | 3 asked | the server answered 429 Too Many Requests; the allowance is spent: wait, or pull less often
    500, then sound | 2 asked | 3 prices, 1 result
    502, then sound | 2 asked | 3 prices, 1 result
    503 for ever | 3 asked | the server answered 503 Service Unavailable; try again later
    504, then sound | 2 asked | 3 prices, 1 result
    304 that nobody asked for | 1 asked | the server answered 304 Not Modified; check the address
    cut body, then sound | 2 asked | 3 prices, 1 result
    cut body for ever | 3 asked | the answer broke off; check the address and the network, then run again
    broken chunks, then sound | 2 asked | 3 prices, 1 result
    broken gzip, then sound | 2 asked | 3 prices, 1 result
    another protocol, then sound | 2 asked | 3 prices, 1 result
    hangs up, then sound | 2 asked | 3 prices, 1 result
    silent, then sound | 2 asked | 3 prices, 1 result
    silent for ever | 3 asked | the server fell silent; check the address and the network, then run again
    silent in the middle, then sound | 2 asked | 3 prices, 1 result
    too large | 1 asked | the answer is larger than 0 MiB; split the input into seasons
    endless | 1 asked | the answer is larger than 0 MiB; split the input into seasons
    redirect, then sound | 2 asked | 3 prices, 1 result
    redirect in a circle | 11 asked | the server sends its caller round in circles; check the address
    a web page | 1 asked | cannot read `E0.csv`: it is a web page, not a table; check that the address names the file itself
    nothing | 1 asked | cannot read `E0.csv`: it is empty; download it again
    JSON | 1 asked | cannot read `E0.csv`: columns `Div`, `Date`, `HomeTeam`, `AwayTeam`, `FTHG`, `FTAG` are missing; take a file in the football-data.co.uk main layout
    renamed columns | 1 asked | cannot read `E0.csv`: column `HomeTeam` is missing; take a file in the football-data.co.uk main layout
    a line cut short | 1 asked | cannot read `E0.csv`: it stops in the middle of row 1; the download was cut; fetch it again
    ");
}

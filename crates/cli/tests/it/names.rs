//! Two sources of one league: what the second calls a team is reviewed once and then understood.

use crate::edge::Edge;

const SETTINGS: &str = "\
[[league]]
id = \"x\"
source = \"football_data\"
path = \"X.csv\"

[[league]]
id = \"x\"
source = \"csv\"
path = \"other.csv\"
ALIASES
[league.csv]
columns = { date = \"day\", home = \"h\", away = \"a\", home_price = \"hp\", draw_price = \"dp\", away_price = \"ap\" }
";

#[test]
fn an_unknown_name_is_listed_reviewed_and_understood_after_a_replay() {
    let edge = Edge::with(&SETTINGS.replace("ALIASES", ""));
    edge.write(
        "X.csv",
        b"Div,Date,Time,HomeTeam,AwayTeam,FTHG,FTAG\nX,14/10/2022,20:00,Man United,Leeds,2,0\nX,15/10/2022,20:00,Wolves,Everton,0,0\n",
    );
    edge.write(
        "other.csv",
        b"day,h,a,hp,dp,ap\n2022-10-14,Manchester United,LEEDS,1.6,4.1,5.5\n2022-10-15,Wolves,Everton,2.2,3.2,3.5\n",
    );
    let fetched = edge.run(&["fetch"]);
    assert_eq!(fetched.code, Some(0), "{}", fetched.stderr);
    insta::assert_snapshot!(edge.run(&["data", "names"]).done(), @r"
     league  source  rows  what would settle it                                     
    ────────────────────────────────────────────────────────────────────────────────
     x       csv        1  `Manchester United`: add `Manchester United,Man United`  
                           to the alias file if it is that team, `Manchester        
                           United,Manchester United` if it is a new one
    ");
    let prices = |edge: &Edge| {
        edge.run(&["data", "export", "lines.csv"]).done();
        std::fs::read_to_string(edge.path("lines.csv")).unwrap().lines().count() - 1
    };
    assert_eq!(prices(&edge), 3);

    edge.write("names.csv", b"name,team\nManchester United,Man United\n");
    edge.write("edge.toml", SETTINGS.replace("ALIASES", "aliases = \"names.csv\"").as_bytes());
    edge.run(&["fetch", "--replay"]).done();
    assert_eq!(edge.run(&["data", "names"]).done().trim(), "every name is known");
    assert_eq!(prices(&edge), 6);
    let lines = std::fs::read_to_string(edge.path("lines.csv")).unwrap();
    assert!(lines.contains("x_2022-10-14_man-united_leeds,2022") && !lines.contains("Manchester"), "{lines}");
    insta::assert_snapshot!(edge.run(&["data"]).done(), @r"
     league  seasons  games  results  prices  books  first       last        
    ─────────────────────────────────────────────────────────────────────────
     x          2022      2        2       6      1  2022-10-13  2022-10-14
    ");
    insta::assert_snapshot!(edge.run(&["data", "--league", "x"]).done(), @r"
    x
     season  games  results  priced  prices  books  first       last        pause  
    ───────────────────────────────────────────────────────────────────────────────
       2022      2        2       2       6      1  2022-10-13  2022-10-14
    ");
    edge.run(&["data", "--picture", "coverage.svg"]).done();
    assert!(
        std::fs::read_to_string(edge.path("coverage.svg"))
            .unwrap()
            .contains("2022: 2 games, 2 with a result, 2 priced")
    );
}

#[test]
fn an_alias_file_that_is_none_is_named() {
    let edge = Edge::with(&SETTINGS.replace("ALIASES", "aliases = \"names.csv\""));
    edge.write("X.csv", b"Div,Date,HomeTeam,AwayTeam,FTHG,FTAG\nX,14/10/2022,A,B,2,0\n");
    edge.write("other.csv", b"day,h,a,hp,dp,ap\n");
    edge.write("names.csv", b"from,to\nA,B\n");
    let fetched = edge.run(&["fetch"]);
    assert_eq!(fetched.code, Some(3), "{}", fetched.stderr);
    assert!(
        fetched.stderr.contains("names.csv") && fetched.stderr.contains("name,team"),
        "{}",
        fetched.stderr
    );
}

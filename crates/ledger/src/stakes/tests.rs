use super::*;

fn proposal(game: &str, p: f64, odds: f64) -> Proposal {
    Proposal {
        game_id: GameId::from_text(game),
        league: LeagueId::new("demo").unwrap(),
        book: "north".into(),
        selection: Selection::Home,
        points: None,
        price: Price::new(odds).unwrap(),
        grades: GradeProbabilities([p, 0.0, 0.0, 0.0, 1.0 - p]),
        score: Some(0.5),
    }
}

fn sized(proposals: &[Proposal], settings: &StakeSettings, purse: &Purse) -> Vec<Stake> {
    size(proposals, &Joints::new(), settings, purse)
}

fn purse() -> Purse {
    Purse::new("1000.00".parse().unwrap())
}

fn amounts(proposals: &[Proposal], purse: &Purse) -> Vec<String> {
    let stakes = sized(proposals, &StakeSettings::default(), purse);
    stakes.iter().map(|stake| stake.amount.to_string()).collect()
}

#[test]
fn a_large_edge_is_cut_to_the_limit_per_bet() {
    let stakes = sized(&[proposal("a", 0.6, 2.0)], &StakeSettings::default(), &purse());
    assert_eq!((stakes[0].amount.to_string().as_str(), &stakes[0].cuts[..]), ("20.00", &[Cut::MaxBet][..]));
}

#[test]
fn only_the_best_bet_of_a_game_is_staked() {
    let bets = [proposal("a", 0.52, 2.0), proposal("a", 0.53, 2.0), proposal("b", 0.52, 2.0)];
    let stakes = sized(&bets, &StakeSettings::default(), &purse());
    assert_eq!(stakes[0].cuts, [Cut::AnotherOnTheGame]);
    assert!(stakes[1].amount > Money::ZERO && stakes[2].amount > Money::ZERO);
}

#[test]
fn the_day_has_a_limit_for_all_together() {
    let bets: Vec<Proposal> = (0..8).map(|i| proposal(&format!("g{i}"), 0.6, 2.0)).collect();
    assert_eq!(amounts(&bets, &purse()), ["12.50"; 8]);
    let open = Purse { open: "95.00".parse().unwrap(), ..purse() };
    assert_eq!(amounts(&bets, &open), ["0.62"; 8]);
}

#[test]
fn each_refusal_has_its_reason() {
    let unscored = Proposal { score: None, ..proposal("a", 0.6, 2.0) };
    let vetoed = Proposal { score: Some(0.0), ..proposal("b", 0.6, 2.0) };
    let low = Proposal { score: Some(0.1), ..proposal("c", 0.6, 2.0) };
    let thin = proposal("d", 0.503, 2.0);
    let open = proposal("e", 0.6, 2.0);
    let mut purse = purse();
    purse.open_games.insert(GameId::from_text("e"));
    let stakes = sized(&[unscored, vetoed, low, thin, open], &StakeSettings::default(), &purse);
    let cuts: Vec<Cut> = stakes.iter().flat_map(|stake| stake.cuts.clone()).collect();
    assert_eq!(cuts, [Cut::Unscored, Cut::Vetoed, Cut::LowScore, Cut::LowEdge, Cut::OpenBet]);
    assert!(stakes.iter().all(|stake| stake.amount == Money::ZERO));
}

#[test]
fn an_empty_purse_and_a_deep_drawdown_stake_nothing() {
    assert_eq!(amounts(&[proposal("a", 0.6, 2.0)], &Purse::new(Money::ZERO)), ["0.00"]);
    assert_eq!(amounts(&[proposal("a", 0.6, 2.0)], &Purse { drawdown: -0.3, ..purse() }), ["0.00"]);
    // Half the throttle of a quarter of Kelly's 4 %.
    assert_eq!(amounts(&[proposal("a", 0.52, 2.0)], &Purse { drawdown: -0.175, ..purse() }), ["5.00"]);
}

#[test]
fn a_bet_adds_its_own_growth_and_a_bad_one_none() {
    let bets = [proposal("a", 0.51, 2.0), proposal("b", 0.40, 2.0), proposal("a", 0.55, 2.0)];
    let added = growth_added(&bets, &StakeSettings::default(), &purse());
    assert!((added[0] - 8.75e-5).abs() < 1e-7, "a quarter of Kelly on 2 % at evens: {}", added[0]);
    assert!(added[1].abs() < 1e-12, "{}", added[1]);
    assert!(added[2] > added[0]);
}

#[test]
fn a_league_and_a_book_have_limits_of_their_own() {
    let mut bets: Vec<Proposal> = (0..4).map(|i| proposal(&format!("g{i}"), 0.6, 2.0)).collect();
    bets[3].league = LeagueId::new("other").unwrap();
    let settings = StakeSettings { max_league: Some(0.03), ..StakeSettings::default() };
    let open = BTreeMap::from([(LeagueId::new("demo").unwrap(), "12.00".parse().unwrap())]);
    let stakes =
        sized(&bets, &settings, &Purse { open_leagues: open, open: "12.00".parse().unwrap(), ..purse() });
    let amounts: Vec<String> = stakes.iter().map(|stake| stake.amount.to_string()).collect();
    assert_eq!(amounts, ["6.00", "6.00", "6.00", "20.00"]);
    assert_eq!(stakes[0].cuts, [Cut::MaxBet, Cut::MaxLeague]);

    let north = BookLimits {
        max_stake: Some("7.77".parse().unwrap()),
        min_stake: Some("2.00".parse().unwrap()),
        step: Some("0.50".parse().unwrap()),
    };
    let settings =
        StakeSettings { books: BTreeMap::from([("north".to_owned(), north)]), ..StakeSettings::default() };
    let stakes = sized(&[proposal("a", 0.6, 2.0), proposal("b", 0.102, 10.0)], &settings, &purse());
    assert_eq!((stakes[0].amount.to_string().as_str(), &stakes[0].cuts[1..]), ("7.50", &[Cut::MaxBook][..]));
    assert_eq!((stakes[1].amount, stakes[1].cuts.last()), (Money::ZERO, Some(&Cut::BelowLeastStake)));
}

#[test]
fn a_currency_without_cents_is_staked_in_whole_coins() {
    let settings = StakeSettings { step: Some("1".parse().unwrap()), ..StakeSettings::default() };
    let rich = Purse::new("100037".parse().unwrap());
    assert_eq!(sized(&[proposal("a", 0.52, 2.0)], &settings, &rich)[0].amount.to_string(), "1000.00");
    let poor = Purse::new("60".parse().unwrap());
    let none = sized(&[proposal("a", 0.52, 2.0)], &settings, &poor);
    assert_eq!((none[0].amount, none[0].cuts.last()), (Money::ZERO, Some(&Cut::BelowLeastStake)));
}

#[test]
fn huge_bankrolls_are_no_trouble() {
    let purse = Purse::new("79000000000000.00".parse().unwrap());
    assert_eq!(
        sized(&[proposal("a", 0.6, 2.0)], &StakeSettings::default(), &purse)[0].amount.to_string(),
        "1580000000000.00"
    );
}

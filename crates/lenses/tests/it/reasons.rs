//! Every reason as a reader meets it.

use std::fmt::Write as _;

use lenses::{
    Lens, LensKind, Posterior, circle_of_competence, fat_pitch, margin_of_safety, moat, mr_market,
    posterior::TWO_WAY,
};
use market::{Price, predictor::InformationWeight};

fn circle() -> Vec<Lens> {
    let information = InformationWeight {
        weight: 0.108,
        standard_error: 0.062,
        games: 8264,
        calibration_sd: 0.1,
        market_move_sd: None,
    };
    let base = circle_of_competence::Inputs {
        information: Some(information),
        effective_games: Some(40.0),
        half_way_games: 10.0,
        conformal_p: None,
    };
    let unproven = InformationWeight { weight: 0.02, ..information };
    [
        circle_of_competence::Inputs { information: None, ..base.clone() },
        circle_of_competence::Inputs { effective_games: None, ..base.clone() },
        circle_of_competence::Inputs { effective_games: Some(0.0), ..base.clone() },
        circle_of_competence::Inputs { information: Some(unproven), ..base.clone() },
        circle_of_competence::Inputs { conformal_p: Some(0.0), ..base },
    ]
    .iter()
    .map(circle_of_competence::score)
    .collect()
}

fn margin() -> Vec<Lens> {
    let posterior = Posterior::from_logit(0.0, 0.1).unwrap();
    let base = margin_of_safety::Inputs {
        belief: Some(margin_of_safety::Belief::Normal { posterior, shape: TWO_WAY }),
        price: Price::new(1.91).unwrap(),
        hurdle: 0.01,
    };
    let empty = margin_of_safety::Belief::Draws(Vec::new());
    [
        base.clone(),
        margin_of_safety::Inputs { belief: None, ..base.clone() },
        margin_of_safety::Inputs { belief: Some(empty), ..base },
    ]
    .iter()
    .map(margin_of_safety::score)
    .collect()
}

fn market() -> Vec<Lens> {
    let base = mr_market::Inputs {
        consensus: Some(0.5),
        drift: 0.0,
        price: Price::new(1.91).unwrap(),
        remaining_movement: Some(0.0),
        move_sd: Some(0.12),
    };
    [
        base.clone(),
        mr_market::Inputs { consensus: None, ..base.clone() },
        mr_market::Inputs { remaining_movement: None, ..base.clone() },
        mr_market::Inputs { move_sd: None, ..base },
    ]
    .iter()
    .map(mr_market::score)
    .collect()
}

fn pitch() -> Vec<Lens> {
    let base = fat_pitch::Inputs {
        growth_added: Some(1e-4),
        reference_growth: 1e-4,
        exposure: 0.0,
        exposure_cap: 0.1,
        drawdown: 0.0,
    };
    [
        fat_pitch::Inputs { growth_added: None, ..base.clone() },
        fat_pitch::Inputs { growth_added: Some(-1e-6), ..base.clone() },
        fat_pitch::Inputs { exposure: 0.1, ..base.clone() },
        fat_pitch::Inputs { drawdown: -0.31, ..base },
    ]
    .iter()
    .map(fat_pitch::score)
    .collect()
}

#[test]
fn every_reason_reads_as_a_sentence_part() {
    let moats = [vec![-0.01; 12], vec![0.01; 3]]
        .map(|scenario_returns| moat::score(&moat::Inputs { scenario_returns, past_clv: None }));
    let lenses = [circle(), margin(), market(), moats.to_vec(), pitch()];
    let mut text = String::new();
    for (kind, answers) in LensKind::ALL.into_iter().zip(lenses) {
        for lens in answers {
            let state = if lens.value().is_some() { "veto" } else { "missing" };
            writeln!(text, "{}, {state}: {}", kind.title(), lens.reason().expect("a reason")).unwrap();
        }
    }
    insta::assert_snapshot!(text);
}

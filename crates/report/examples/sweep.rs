//! Draws two sweeps so that a human can look at them: `cargo run -p report --example sweep [FOLDER]`.

use std::{error::Error, fs, path::PathBuf};

use report::chart::sweep::{Axis, SweepTrial, TrialEnd, history, parallel};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).map_or_else(|| PathBuf::from("reports/sample"), PathBuf::from);
    fs::create_dir_all(&folder)?;
    let axes = [
        Axis::log("learning_rate", 5e-4, 2e-2),
        Axis::log("weight_decay", 1e-4, 0.3),
        Axis::linear("dropout", 0.0, 0.5),
        Axis::labels("layers", ["1", "2"]),
        Axis::linear("fan_out", 4.0, 12.0),
        Axis::labels("hidden", ["16", "32", "64"]),
    ];
    for count in [12, 60] {
        let trials: Vec<_> = (0..count).map(|number| trial(number, count)).collect();
        for chart in [history(&trials)?, parallel(&axes, &trials)?].into_iter().flatten() {
            fs::write(folder.join(format!("{}-{count}.svg", chart.content_id)), &chart.svg)?;
            fs::write(folder.join(format!("{}-{count}.png", chart.content_id)), &chart.png)?;
        }
    }
    Ok(())
}

/// Makes up a trial; later ones lie nearer to a learning rate of 4e-3 and a dropout of 0.1.
fn trial(number: usize, count: usize) -> SweepTrial {
    let chance = |salt: usize| ((number * 7 + salt * 13 + 3) as f64 * 0.618_034).fract();
    let near = |salt: usize, at: f64| {
        let late = (number as f64 / count as f64).min(0.85);
        at * late + chance(salt) * (1.0 - late)
    };
    let (rate, decay, dropout) = (near(1, 0.56), near(2, 0.4), near(3, 0.2));
    let (layers, hidden) = ((near(4, 0.9) * 2.0).floor().min(1.0), (near(5, 0.5) * 3.0).floor().min(2.0));
    let loss = 0.64
        + 0.15 * (rate - 0.56).powi(2)
        + 0.05 * (decay - 0.4).powi(2)
        + 0.08 * (dropout - 0.2).powi(2)
        + if layers < 1.0 { 0.006 } else { 0.0 }
        + 0.004 * chance(6);
    let end = match number % 9 {
        4 | 7 => TrialEnd::Pruned,
        5 if number % 2 == 1 => TrialEnd::Failed,
        _ => TrialEnd::Complete,
    };
    let loss = match end {
        TrialEnd::Complete => Some(if number == 3 { loss + 0.4 } else { loss }),
        TrialEnd::Pruned => Some(loss + 0.02 + 0.02 * chance(7)),
        TrialEnd::Failed => None,
    };
    let fan_out = (layers > 0.0).then(|| (4.0 + near(8, 0.4) * 8.0).round());
    let values = vec![
        Some(5e-4 * 40.0_f64.powf(rate)),
        Some(1e-4 * 3000.0_f64.powf(decay)),
        Some(0.5 * dropout),
        Some(layers),
        fan_out,
        Some(hidden),
    ];
    SweepTrial { end, loss, values }
}

//! `edge init`: writes an edge.toml with every key commented.

use std::io::Write;

use crate::{args::InitArgs, context::Context, exit::Status};

pub(crate) const EXAMPLE: &str = include_str!("../../../../env/edge.example.toml");

pub(crate) fn run(args: &InitArgs, context: &Context) -> anyhow::Result<Status> {
    let file = args.file.display();
    let created = std::fs::OpenOptions::new().write(true).create_new(true).open(&args.file);
    let mut created = match created {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            anyhow::bail!("{file} exists already and is left as it is: name another file")
        }
        other => other.map_err(|error| anyhow::anyhow!("cannot write {file}: {error}"))?,
    };
    created.write_all(EXAMPLE.as_bytes())?;
    context.print(&format!(
        "wrote {file}: every key with its default, commented. Next: edge doctor, edge nightly"
    ))?;
    Ok(Status::Done)
}

#[cfg(test)]
mod tests {
    use crate::settings::Settings;

    /// Takes the `# ` away from every line that sets a key.
    fn uncommented() -> String {
        let is_key =
            |line: &str| line.starts_with("# ") && line.contains(" = ") && !line.starts_with("# Order");
        super::EXAMPLE
            .lines()
            .map(|line| if is_key(line) { &line[2..] } else { line })
            .map(|line| if line == "# [[league]]" { "" } else { line })
            .filter(|line| {
                ![
                    "id =",
                    "source =",
                    "path =",
                    "line_lead",
                    "closing_lead",
                    "schedule_lead",
                    "starters_lead",
                    "time_zone = \"Europe/London\"",
                    "aliases",
                    "division",
                    "sport",
                    "regions",
                    "three_way",
                    "season_starts",
                    "tie",
                    "overtime",
                    "moved_within_hours",
                    "max_game",
                    "max_league",
                    "step",
                    "max_stake",
                    "min_stake",
                    "folder",
                    "program",
                    "memory_mb",
                    "space.",
                    "budget.",
                    "templates",
                    "unsubscribe",
                    "dkim_domain",
                    "github_",
                    "certificate =",
                    "key =",
                ]
                .iter()
                .any(|key| line.starts_with(key))
            })
            .collect::<Vec<_>>()
            .join("\n")
    }

    #[test]
    fn the_commented_values_are_the_defaults() {
        let stated: Settings = toml::from_str(&uncommented()).unwrap();
        assert_eq!(toml::to_string(&stated).unwrap(), toml::to_string(&Settings::default()).unwrap());
    }
}

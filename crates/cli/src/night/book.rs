//! The ledger where it lives: a file that is appended to, or an object that is put anew.

use anyhow::Context as _;
use ledger::{Entry, Head, Ledger, LedgerFile};

use crate::{
    context::{Context, say},
    paths::Key,
};

/// The ledger of a store.
#[derive(Debug)]
pub(crate) enum Book {
    /// In a folder.
    File(LedgerFile),
    /// In a bucket; whoever writes holds the lock of [`crate::guard`].
    Object { ledger: Ledger, text: String },
}

impl Book {
    /// Reads the ledger; an absent one is empty.
    pub(crate) fn open(context: &Context) -> anyhow::Result<Self> {
        let store = context.store()?;
        let key = Key::Ledger.to_string();
        if let Some(folder) = store.folder() {
            let file = LedgerFile::open(&folder.join(&key))?;
            if file.torn() > 0 {
                say(&format!(
                    "edge: the last line of {key} was cut off while it was written; it never counted, and is written again"
                ));
            }
            return Ok(Self::File(file));
        }
        // The head first, as the rows are written before it.
        let head = store.try_get(&Key::LedgerHead.to_string())?;
        let bytes = store.try_get(&key)?.unwrap_or_default();
        let text = String::from_utf8(bytes)
            .with_context(|| format!("{key} is no text; restore it from its last copy"))?;
        let ledger = Ledger::parse(&text).with_context(|| format!("cannot read {key}"))?;
        if let Some(head) = head {
            let head: Head =
                serde_json::from_slice(&head).with_context(|| format!("cannot read {}", Key::LedgerHead))?;
            // The rows are put first: a crash in between leaves a head that the ledger goes on from.
            ledger.follows(&head).with_context(|| format!("cannot read {key}"))?;
        }
        Ok(Self::Object { ledger, text })
    }

    /// Returns what stands in it.
    pub(crate) fn ledger(&self) -> &Ledger {
        match self {
            Self::File(file) => file.ledger(),
            Self::Object { ledger, .. } => ledger,
        }
    }

    /// Appends entries that are not there yet; returns how many were new.
    pub(crate) fn append(&mut self, context: &Context, entries: Vec<Entry>) -> anyhow::Result<usize> {
        let starting = context.settings.bankroll;
        match self {
            Self::File(file) => Ok(file.append(entries, starting)?),
            Self::Object { ledger, text } => {
                let before = ledger.entries().len();
                let added = ledger.append(entries, starting)?;
                if !added.is_empty() {
                    let line_end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
                    let whole = if ledger.was_unsealed() {
                        ledger.text()
                    } else {
                        format!("{text}{line_end}{added}")
                    };
                    put(context, &whole, ledger)?;
                    *text = whole;
                }
                Ok(ledger.entries().len() - before)
            }
        }
    }
}

/// Takes the ledger as it is, whatever its seals say, and seals it anew; returns where it is kept as it was.
pub(crate) fn reseal(context: &Context) -> anyhow::Result<String> {
    let store = context.store()?;
    let key = Key::Ledger.to_string();
    if let Some(folder) = store.folder() {
        return Ok(LedgerFile::reseal(&folder.join(&key))?.display().to_string());
    }
    let bytes = store.try_get(&key)?.with_context(|| format!("there is no {key} yet"))?;
    let text = String::from_utf8(bytes.clone()).with_context(|| format!("{key} is no text"))?;
    let ledger = Ledger::parse_ignoring_seals(&text).with_context(|| format!("cannot read {key}"))?;
    let kept = format!("reports/ledger.before_{}.csv", context.now.strftime("%Y%m%dT%H%M%SZ"));
    store.put(&kept, &bytes)?;
    put(context, &ledger.text(), &ledger)?;
    Ok(kept)
}

fn put(context: &Context, text: &str, ledger: &Ledger) -> anyhow::Result<()> {
    let store = context.store()?;
    store.put(&Key::Ledger.to_string(), text.as_bytes())?;
    if let Some(head) = ledger.head() {
        store.put(&Key::LedgerHead.to_string(), &serde_json::to_vec(&head)?)?;
    }
    Ok(())
}

//! What was received, from whom and when: the raw bytes come first, and any table can be rebuilt from them.

use jiff::tz::TimeZone;
use market::{Date, LeagueId, Name, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Lake, sha256};
use crate::{DataError, Payload, Source};

/// Kept per payload from the moment at which its bytes are stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Receipt {
    /// File name of the payload.
    pub(super) name: String,
    pub(super) extension: String,
    /// sha256 of the bytes.
    pub(super) hash: Name,
    /// Where the bytes lie, compressed.
    pub(super) raw: String,
    /// When the bytes came first, by this machine's clock.
    pub(super) received_at: Timestamp,
    /// The same where they came over a network; a file may be older than its first reading.
    pub(super) sent_at: Option<Timestamp>,
    /// The date for which they were pulled first.
    pub(super) date: Date,
}

impl Lake {
    /// Stores a payload's bytes and the receipt; what was received before keeps its first receipt.
    pub(super) fn receive(
        &self,
        source: &dyn Source,
        until: Timestamp,
        payload: &Payload,
    ) -> Result<Receipt, DataError> {
        let hash = sha256(&payload.bytes);
        let place = path(source.id(), &source.league().id, &hash);
        if let Some(receipt) = self.try_get_json(&place)? {
            return Ok(receipt);
        }
        let date = until.to_zoned(TimeZone::UTC).date();
        let raw = format!("data/raw/{}/{date}/{hash}.{}.zst", source.id(), payload.extension);
        let packed = zstd::encode_all(payload.bytes.as_slice(), 0).map_err(|cause| DataError::Encode {
            what: format!("the raw payload `{}`", payload.name),
            cause: Box::new(cause),
        })?;
        self.store.put_if_absent(&raw, &packed)?;
        let receipt = Receipt {
            name: payload.name.clone(),
            extension: payload.extension.clone(),
            hash: hash.as_str().into(),
            raw,
            received_at: payload.received_at.unwrap_or_else(|| self.now()),
            sent_at: payload.received_at,
            date,
        };
        self.put_json(&place, &receipt)?;
        Ok(receipt)
    }

    /// Returns every receipt of a league from one source, first received first.
    pub(super) fn receipts(&self, source: &str, league: &LeagueId) -> Result<Vec<Receipt>, DataError> {
        let mut receipts: Vec<Receipt> = Vec::new();
        for path in self.store.list(&format!("data/received/{source}/{league}"))? {
            receipts.extend(self.try_get_json::<Receipt>(&path)?);
        }
        receipts.sort_by(|a, b| (a.received_at, &a.name, &a.hash).cmp(&(b.received_at, &b.name, &b.hash)));
        Ok(receipts)
    }

    /// Reads a payload back as it was received.
    pub(super) fn received(&self, receipt: &Receipt) -> Result<Payload, DataError> {
        let packed = self.store.get(&receipt.raw)?;
        let bytes = zstd::decode_all(packed.as_slice()).map_err(|cause| DataError::Corrupt {
            path: receipt.raw.clone(),
            problem: "it cannot be unpacked".to_owned(),
            cause: Some(Box::new(cause)),
        })?;
        if sha256(&bytes) != receipt.hash.as_str() {
            let problem = "its bytes are not those that were received".to_owned();
            return Err(DataError::Corrupt { path: receipt.raw.clone(), problem, cause: None });
        }
        let mut payload = Payload::new(&receipt.name, &receipt.extension, bytes);
        payload.received_at = receipt.sent_at;
        Ok(payload)
    }
}

/// Returns where the receipt of a payload lies.
pub(super) fn path(source: &str, league: &LeagueId, hash: &str) -> String {
    format!("data/received/{source}/{league}/{hash}.json")
}

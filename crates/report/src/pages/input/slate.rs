//! Facts of the slate's page.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::Site;
use crate::ReportData;

/// A day's slate: what its report said, and the way to other days.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlatePage {
    /// The site.
    pub site: Site,
    /// The day asked for, in the site's time zone.
    pub date: Date,
    /// The stored report of that day; none when there is none.
    pub report: Option<ReportData>,
    /// Days with a stored report, in any order.
    pub dates: Vec<Date>,
}

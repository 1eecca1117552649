//! Comma-separated payloads as tables whose columns are found by name.

use std::collections::HashMap;

use csv::{ReaderBuilder, StringRecord};

use crate::{DataError, Payload, Refused};

/// A payload's records; the index of a record is its row number.
#[derive(Debug)]
pub(crate) struct Table {
    columns: HashMap<String, usize>,
    /// Column names in the payload's order.
    pub(crate) header: Vec<String>,
    pub(crate) records: Vec<StringRecord>,
}

impl Table {
    /// Reads a payload as a whole, or says why it is not a table in the `layout` with the `required` columns.
    ///
    /// Each entry of `required` may list other spellings of a column behind `|`.
    pub(crate) fn read(payload: &Payload, layout: &str, required: &[&str]) -> Result<Self, DataError> {
        Self::open(payload, b',')?.with(payload, layout, required)
    }

    /// Reads a payload as a whole whatever its columns are.
    pub(crate) fn open(payload: &Payload, delimiter: u8) -> Result<Self, DataError> {
        let text = decode(&payload.bytes);
        let text = text.trim_start_matches('\u{feff}');
        refuse_no_table(payload, text)?;
        let mut reader = ReaderBuilder::new()
            .delimiter(delimiter)
            .flexible(true)
            .has_headers(false)
            .from_reader(text.as_bytes());
        let mut records = reader.records();
        let unreadable = |problem: String| refused(payload, problem, "download it again");
        let first = records.next().transpose().map_err(|error| unreadable(format!("is no CSV ({error})")))?;
        let header: Vec<String> =
            first.iter().flat_map(|record| record.iter().map(|cell| cell.trim().to_owned())).collect();
        let mut columns = HashMap::new();
        for (index, column) in header.iter().enumerate().filter(|(_, column)| !column.is_empty()) {
            columns.entry(column.clone()).or_insert(index);
        }
        let records = records
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| unreadable(format!("is no CSV ({error})")))?;
        let table = Self { columns, header, records };
        table.refuse_cut_end(payload, text)?;
        Ok(table)
    }

    /// Refuses a table that lacks a column of `required`; other spellings of it are found under its first.
    pub(crate) fn with(
        mut self,
        payload: &Payload,
        layout: &str,
        required: &[&str],
    ) -> Result<Self, DataError> {
        self.columns = with_aliases(payload, layout, required, self.columns)?;
        Ok(self)
    }

    /// Returns where a column stands.
    pub(crate) fn column(&self, name: &str) -> Option<usize> {
        self.columns.get(name).copied()
    }

    /// Returns a cell without surrounding blanks; none when it is absent, empty or `NA`.
    pub(crate) fn cell<'a>(&self, record: &'a StringRecord, column: &str) -> Option<&'a str> {
        self.column(column).and_then(|index| cell_at(record, index))
    }

    /// Refuses a payload whose last line stops before its last column, as a broken download does.
    fn refuse_cut_end(&self, payload: &Payload, text: &str) -> Result<(), DataError> {
        let cut =
            !text.ends_with('\n') && self.records.last().is_some_and(|last| last.len() < self.header.len());
        if !cut {
            return Ok(());
        }
        let problem = format!("stops in the middle of row {}", self.records.len());
        Err(refused(payload, problem, "the download was cut; fetch it again"))
    }
}

/// One record, with its cells by column name.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cells<'a> {
    pub(crate) table: &'a Table,
    pub(crate) record: &'a StringRecord,
}

impl<'a> Cells<'a> {
    /// Returns a cell as [`Table::cell`] does.
    pub(crate) fn get(&self, column: &str) -> Option<&'a str> {
        self.table.cell(self.record, column)
    }
}

/// Returns a cell without surrounding blanks; none when it is absent, empty or `NA`.
pub(crate) fn cell_at(record: &StringRecord, index: usize) -> Option<&str> {
    record.get(index).map(str::trim).filter(|cell| !cell.is_empty() && *cell != "NA")
}

/// Returns whether nothing at all stands in a row.
pub(crate) fn is_blank(record: &StringRecord) -> bool {
    record.iter().all(|cell| cell.trim().is_empty())
}

/// Builds a refusal of one row, with the row as it came.
pub(crate) fn refuse(row: u32, record: &StringRecord, reason: impl Into<String>) -> Refused {
    Refused::new(row, reason, &record.iter().collect::<Vec<_>>().join(","))
}

fn with_aliases(
    payload: &Payload,
    layout: &str,
    required: &[&str],
    mut columns: HashMap<String, usize>,
) -> Result<HashMap<String, usize>, DataError> {
    let mut missing = Vec::new();
    for spellings in required {
        let mut names = spellings.split('|');
        let name = names.next().unwrap_or_default();
        if columns.contains_key(name) {
            continue;
        }
        match names.find_map(|other| columns.get(other).copied()) {
            Some(index) => _ = columns.insert(name.to_owned(), index),
            None => missing.push(name.to_owned()),
        }
    }
    if missing.is_empty() {
        return Ok(columns);
    }
    Err(DataError::MissingColumns { name: payload.name.clone(), columns: missing, layout: layout.to_owned() })
}

fn refuse_no_table(payload: &Payload, text: &str) -> Result<(), DataError> {
    let start = text.trim_start();
    if start.is_empty() {
        return Err(refused(payload, "is empty".to_owned(), "download it again"));
    }
    if start.starts_with('<') {
        let problem = "is a web page, not a table".to_owned();
        return Err(refused(payload, problem, "check that the address names the file itself"));
    }
    if start.contains('\0') {
        let problem = "holds binary data, not a table".to_owned();
        return Err(refused(payload, problem, "unpack it or check the address"));
    }
    Ok(())
}

fn refused(payload: &Payload, problem: String, advice: &str) -> DataError {
    DataError::Payload { name: payload.name.clone(), problem, advice: advice.to_owned() }
}

/// Reads UTF-8, and the Western European encoding of old files otherwise.
fn decode(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payload(text: &str) -> Payload {
        Payload::new("season.csv", "csv", text)
    }

    fn message(text: &str) -> String {
        Table::read(&payload(text), "test", &["Home|HT", "Away"]).unwrap_err().to_string()
    }

    #[test]
    fn what_is_no_table_is_named_with_the_way_out() {
        insta::assert_snapshot!(message("  \n"), @"cannot read `season.csv`: it is empty; download it again");
        insta::assert_snapshot!(message("<!DOCTYPE html>"), @"cannot read `season.csv`: it is a web page, not a table; check that the address names the file itself");
        insta::assert_snapshot!(message("Away\nx"), @"cannot read `season.csv`: column `Home` is missing; take a file in the test layout");
        insta::assert_snapshot!(message("a,b\n"), @"cannot read `season.csv`: columns `Home`, `Away` are missing; take a file in the test layout");
        insta::assert_snapshot!(message("Home,Away\na,b\nc"), @"cannot read `season.csv`: it stops in the middle of row 2; the download was cut; fetch it again");
    }

    #[test]
    fn marks_blanks_and_other_spellings_are_understood() {
        let table =
            Table::read(&payload("\u{feff} HT ,Away,\n Ajax ,NA,\n,,\n"), "test", &["Home|HT", "Away"])
                .unwrap();
        assert_eq!(table.cell(&table.records[0], "Home"), Some("Ajax"));
        assert_eq!(table.cell(&table.records[0], "Away"), None);
        assert!(is_blank(&table.records[1]));
    }
}

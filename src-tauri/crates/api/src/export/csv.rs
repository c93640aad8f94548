//! A table as CSV (RFC 4180).

use std::fmt::Write as _;
use std::io::Write;

use wangcheng::Result;

use super::{Cell, Table, not_written};

/// Writes the table in UTF-8, with the mark by which spreadsheets know that.
pub(super) fn write(table: Table, out: &mut dyn Write) -> Result<()> {
    let mut text = String::from('\u{feff}');
    line(&mut text, table.head.iter().map(|word| quoted(word)));
    for row in table.rows {
        line(&mut text, row?.iter().map(cell));
        out.write_all(text.as_bytes()).map_err(not_written)?;
        text.clear();
    }
    // The head alone, where there were no rows.
    out.write_all(text.as_bytes()).map_err(not_written)
}

fn line(text: &mut String, cells: impl Iterator<Item = String>) {
    for (nth, cell) in cells.enumerate() {
        if nth > 0 {
            text.push(',');
        }
        text.push_str(&cell);
    }
    text.push_str("\r\n");
}

fn cell(cell: &Cell) -> String {
    let mut text = String::new();
    // Writing to a text cannot fail.
    let _ = match cell {
        Cell::Text(word) => return quoted(word),
        Cell::Count(count) => write!(text, "{count}"),
        Cell::Number(number) | Cell::Money(number) => write!(text, "{number}"),
        Cell::Day(day) => write!(text, "{day}"),
        Cell::Month(month) => write!(text, "{}", month.format("%Y-%m")),
        Cell::Moment(at) => write!(text, "{}", at.format("%Y-%m-%dT%H:%M:%SZ")),
        Cell::Nothing => Ok(()),
    };
    text
}

/// A text that a spreadsheet would take for a formula gets an apostrophe before it.
fn quoted(word: &str) -> String {
    let formula = word.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let word = if formula {
        format!("'{word}")
    } else {
        word.to_owned()
    };
    match word.contains(['"', ',', '\r', '\n']) {
        true => format!("\"{}\"", word.replace('"', "\"\"")),
        false => word,
    }
}

#[cfg(test)]
mod tests {
    use super::super::rows;
    use super::*;

    #[test]
    fn figures_are_plain_numbers_and_no_text_is_a_formula() {
        let table = Table {
            name: "Owners",
            head: vec!["Owner".to_owned(), "Cost".to_owned()],
            rows: rows(vec![
                vec![
                    Cell::Text("=1+1".to_owned()),
                    Cell::Money("12.345678".parse().unwrap()),
                ],
                vec![Cell::Text("Li, \"Lei\"".to_owned()), Cell::Nothing],
                vec![Cell::Day("2026-11-30".parse().unwrap()), Cell::Count(7)],
            ]),
        };
        let mut text = Vec::new();
        write(table, &mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert_eq!(
            text,
            "\u{feff}Owner,Cost\r\n'=1+1,12.345678\r\n\"Li, \"\"Lei\"\"\",\r\n2026-11-30,7\r\n"
        );
    }
}

//! All tables as a workbook (ECMA-376): one sheet each, figures as numbers, days and moments as dates of Asia/Shanghai.
//!
//! Only what these tables need is written: texts in their cells, six styles, a frozen first line and a filter. The libraries
//! for it choose another compression for everything that shares ours.

use std::fmt::Write as _;
use std::io::{Seek, Write};

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, Utc};
use rust_decimal::Decimal;
use wangcheng::Result;
use zip::write::{SimpleFileOptions, ZipWriter};

use super::{Cell, Table, not_written};

/// Widest and narrowest column, in characters.
const WIDTHS: std::ops::RangeInclusive<usize> = 10..=48;
/// Most rows of a sheet, as the format has it. What is more goes on in another one.
const ROWS_MOST: usize = 1_048_576;
/// Rows that the width of columns follows from.
const LOOKED_AT: usize = 1_000;
/// Longest text of a cell, as the format has it.
const LONGEST: usize = 32_767;
const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n";
const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
const RELATIONS: &str = "http://schemas.openxmlformats.org/package/2006/relationships";
const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

/// Places of the styles in [`styles`].
const BOLD: u8 = 1;
const NUMBER: u8 = 2;
const MONEY: u8 = 3;
const DAY: u8 = 4;
const MONTH: u8 = 5;
const MOMENT: u8 = 6;

/// Writes the workbook, and gives back what it was written to.
pub(super) fn write<W: Write + Seek>(tables: Vec<Table>, out: W) -> Result<W> {
    let mut book = Book {
        archive: ZipWriter::new(out),
        sheets: Vec::new(),
    };
    let whole = format!(
        "<Relationships xmlns=\"{RELATIONS}\"><Relationship Id=\"rId1\" Type=\"{OFFICE}/officeDocument\" \
         Target=\"xl/workbook.xml\"/></Relationships>"
    );
    book.put("_rels/.rels", &whole)?;
    book.put("xl/styles.xml", &styles())?;
    for table in tables {
        book.sheets_of(table, ROWS_MOST)?;
    }
    // How many sheets there are is known by now.
    book.put("xl/workbook.xml", &workbook(&book.sheets))?;
    book.put("xl/_rels/workbook.xml.rels", &relations(book.sheets.len()))?;
    book.put("[Content_Types].xml", &content_types(book.sheets.len()))?;
    book.archive.finish().map_err(not_written)
}

struct Book<W: Write + Seek> {
    archive: ZipWriter<W>,
    /// Names of the sheets so far.
    sheets: Vec<String>,
}

impl<W: Write + Seek> Book<W> {
    fn begin(&mut self, name: &str) -> Result<()> {
        // A sheet may pass four gigabytes before it is packed.
        let options = SimpleFileOptions::default().large_file(true);
        self.archive.start_file(name, options).map_err(not_written)?;
        self.go_on(HEAD)
    }

    fn go_on(&mut self, text: &str) -> Result<()> {
        self.archive.write_all(text.as_bytes()).map_err(not_written)
    }

    fn put(&mut self, name: &str, text: &str) -> Result<()> {
        self.begin(name)?;
        self.go_on(text)
    }

    /// A table as one sheet, or as several of `most` rows where it is longer.
    fn sheets_of(&mut self, mut table: Table, most: usize) -> Result<()> {
        let first: Vec<Vec<Cell>> = table.rows.by_ref().take(LOOKED_AT).collect::<Result<_>>()?;
        let begin = beginning(&table.head, &first);
        let mut rows = first.into_iter().map(Ok).chain(table.rows).peekable();
        let mut part = 1;
        loop {
            self.sheets.push(match part {
                1 => table.name.to_owned(),
                _ => format!("{} {part}", table.name),
            });
            self.begin(&format!("xl/worksheets/sheet{}.xml", self.sheets.len()))?;
            self.go_on(&begin)?;
            let mut count = 1;
            let mut text = String::new();
            while count < most
                && let Some(row) = rows.next()
            {
                text.push_str("<row>");
                for cell in row? {
                    put(&mut text, &cell);
                }
                text.push_str("</row>");
                self.go_on(&text)?;
                text.clear();
                count += 1;
            }
            let last = column(table.head.len().saturating_sub(1));
            self.go_on(&format!(
                "</sheetData><autoFilter ref=\"A1:{last}{count}\"/></worksheet>"
            ))?;
            if rows.peek().is_none() {
                return Ok(());
            }
            part += 1;
        }
    }
}

fn content_types(sheets: usize) -> String {
    const KIND: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml";
    let mut text = format!(
        "<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\">\
         <Default Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/>\
         <Default Extension=\"xml\" ContentType=\"application/xml\"/>\
         <Override PartName=\"/xl/workbook.xml\" ContentType=\"{KIND}.sheet.main+xml\"/>\
         <Override PartName=\"/xl/styles.xml\" ContentType=\"{KIND}.styles+xml\"/>"
    );
    for nth in 1..=sheets {
        // Writing to a text cannot fail.
        let _ = write!(
            text,
            "<Override PartName=\"/xl/worksheets/sheet{nth}.xml\" ContentType=\"{KIND}.worksheet+xml\"/>"
        );
    }
    text + "</Types>"
}

fn workbook(sheets: &[String]) -> String {
    let mut text = format!("<workbook xmlns=\"{MAIN}\" xmlns:r=\"{OFFICE}\"><sheets>");
    for (nth, name) in (1..).zip(sheets) {
        let name = escaped(name);
        let _ = write!(
            text,
            "<sheet name=\"{name}\" sheetId=\"{nth}\" r:id=\"rId{nth}\"/>"
        );
    }
    text + "</sheets></workbook>"
}

fn relations(sheets: usize) -> String {
    let mut text = format!("<Relationships xmlns=\"{RELATIONS}\">");
    for nth in 1..=sheets {
        let _ = write!(
            text,
            "<Relationship Id=\"rId{nth}\" Type=\"{OFFICE}/worksheet\" Target=\"worksheets/sheet{nth}.xml\"/>"
        );
    }
    let last = sheets + 1;
    let _ = write!(
        text,
        "<Relationship Id=\"rId{last}\" Type=\"{OFFICE}/styles\" Target=\"styles.xml\"/></Relationships>"
    );
    text
}

/// In the order of [`BOLD`] and the others, after the usual one.
fn styles() -> String {
    const FORMATS: [&str; 5] = [
        "#,##0.00",
        "#,##0.00####",
        "yyyy-mm-dd",
        "yyyy-mm",
        "yyyy-mm-dd hh:mm:ss",
    ];
    let mut formats = String::new();
    let mut cells = String::from(
        "<xf numFmtId=\"0\" fontId=\"0\" fillId=\"0\" borderId=\"0\" xfId=\"0\"/>\
         <xf numFmtId=\"0\" fontId=\"1\" fillId=\"0\" borderId=\"0\" xfId=\"0\" applyFont=\"1\"/>",
    );
    for (id, format) in (164..).zip(FORMATS) {
        let _ = write!(formats, "<numFmt numFmtId=\"{id}\" formatCode=\"{format}\"/>");
        let _ = write!(
            cells,
            "<xf numFmtId=\"{id}\" fontId=\"0\" fillId=\"0\" borderId=\"0\" xfId=\"0\" applyNumberFormat=\"1\"/>"
        );
    }
    format!(
        "<styleSheet xmlns=\"{MAIN}\"><numFmts count=\"5\">{formats}</numFmts>\
         <fonts count=\"2\"><font><sz val=\"11\"/><name val=\"Calibri\"/></font>\
         <font><b/><sz val=\"11\"/><name val=\"Calibri\"/></font></fonts>\
         <fills count=\"2\"><fill><patternFill patternType=\"none\"/></fill>\
         <fill><patternFill patternType=\"gray125\"/></fill></fills>\
         <borders count=\"1\"><border><left/><right/><top/><bottom/><diagonal/></border></borders>\
         <cellStyleXfs count=\"1\"><xf numFmtId=\"0\" fontId=\"0\" fillId=\"0\" borderId=\"0\"/></cellStyleXfs>\
         <cellXfs count=\"7\">{cells}</cellXfs></styleSheet>"
    )
}

/// A sheet up to its head; the columns are as wide as the first rows need.
fn beginning(head: &[String], rows: &[Vec<Cell>]) -> String {
    let mut text = format!(
        "<worksheet xmlns=\"{MAIN}\"><sheetViews><sheetView workbookViewId=\"0\">\
         <pane ySplit=\"1\" topLeftCell=\"A2\" activePane=\"bottomLeft\" state=\"frozen\"/></sheetView></sheetViews><cols>"
    );
    for (nth, word) in (1usize..).zip(head) {
        let width = width(rows, nth - 1, word);
        let _ = write!(
            text,
            "<col min=\"{nth}\" max=\"{nth}\" width=\"{width}\" customWidth=\"1\"/>"
        );
    }
    text.push_str("</cols><sheetData><row>");
    for word in head {
        put_text(&mut text, word, BOLD);
    }
    text + "</row>"
}

fn width(rows: &[Vec<Cell>], nth: usize, head: &str) -> usize {
    // A letter of Chinese is as wide as two of Latin.
    let wide = |word: &str| {
        word.chars()
            .map(|letter| if letter.is_ascii() { 1 } else { 2 })
            .sum()
    };
    let longest = rows.iter().filter_map(|row| match row.get(nth) {
        Some(Cell::Text(text)) => Some(wide(text)),
        Some(Cell::Moment(_)) => Some(19),
        _ => None,
    });
    let most: usize = longest.chain([wide(head)]).max().unwrap_or_default();
    most.clamp(*WIDTHS.start(), *WIDTHS.end()) + 2
}

/// `A`, `B` … `Z`, `AA` …
fn column(nth: usize) -> String {
    let mut name = Vec::new();
    let mut left = nth + 1;
    while left > 0 {
        left -= 1;
        name.push(char::from(b'A' + u8::try_from(left % 26).unwrap_or_default()));
        left /= 26;
    }
    name.into_iter().rev().collect()
}

fn put(text: &mut String, cell: &Cell) {
    match cell {
        // A text, never a formula.
        Cell::Text(word) => put_text(text, word, 0),
        Cell::Count(count) => put_number(text, count, 0),
        Cell::Number(number) => put_number(text, number.normalize(), NUMBER),
        Cell::Money(amount) => put_number(text, amount.normalize(), MONEY),
        Cell::Day(day) => put_number(text, days(*day), DAY),
        Cell::Month(month) => put_number(text, days(*month), MONTH),
        Cell::Moment(at) => put_number(text, moment(*at), MOMENT),
        Cell::Nothing => text.push_str("<c/>"),
    }
}

fn put_number(text: &mut String, number: impl std::fmt::Display, style: u8) {
    let _ = write!(text, "<c s=\"{style}\"><v>{number}</v></c>");
}

fn put_text(text: &mut String, word: &str, style: u8) {
    let word: String = word.chars().take(LONGEST).collect();
    let _ = write!(
        text,
        "<c s=\"{style}\" t=\"inlineStr\"><is><t xml:space=\"preserve\">{}</t></is></c>",
        escaped(&word)
    );
}

/// Days since the beginning of a spreadsheet's time.
fn days(day: NaiveDate) -> i64 {
    let begin = NaiveDate::from_ymd_opt(1899, 12, 30).unwrap_or_default();
    (day - begin).num_days()
}

/// The same with the part of the day, by the clock by whose days everything else is counted.
fn moment(at: DateTime<Utc>) -> Decimal {
    let there: NaiveDateTime = match FixedOffset::east_opt(8 * 3600) {
        Some(zone) => at.with_timezone(&zone).naive_local(),
        None => at.naive_utc(),
    };
    let of_day = (there - there.date().and_time(chrono::NaiveTime::MIN)).num_seconds();
    let part = Decimal::from(of_day)
        .checked_div(Decimal::from(86_400))
        .unwrap_or_default();
    (Decimal::from(days(there.date())) + part)
        .round_dp(10)
        .normalize()
}

/// XML has no word for most controls, so they are left out.
fn escaped(word: &str) -> String {
    let mut text = String::with_capacity(word.len());
    for letter in word.chars() {
        match letter {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '"' => text.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => {}
            letter if letter.is_control() && !matches!(letter, '\t' | '\n' | '\r') => {}
            letter => text.push(letter),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read as _};

    use super::super::rows;
    use super::*;

    /// Names of a book's sheets, and their texts.
    fn read(table: Table, most: usize) -> (Vec<String>, Vec<String>) {
        let mut book = Book {
            archive: ZipWriter::new(Cursor::new(Vec::new())),
            sheets: Vec::new(),
        };
        book.sheets_of(table, most).unwrap();
        let mut archive = book.archive.finish_into_readable().unwrap();
        let texts = (1..=book.sheets.len()).map(|nth| {
            let mut text = String::new();
            let name = format!("xl/worksheets/sheet{nth}.xml");
            archive.by_name(&name).unwrap().read_to_string(&mut text).unwrap();
            text
        });
        let texts = texts.collect();
        (book.sheets, texts)
    }

    #[test]
    fn figures_are_numbers_moments_are_dates_and_texts_are_texts() {
        let table = Table {
            name: "Servers",
            head: vec!["Server".to_owned(), "Cost".to_owned()],
            rows: rows(vec![
                vec![
                    Cell::Text("=1+1 <b> & \u{1}".to_owned()),
                    Cell::Money("12.500000".parse().unwrap()),
                ],
                vec![
                    // noon in Shanghai
                    Cell::Moment("2025-12-01T04:00:00Z".parse().unwrap()),
                    Cell::Day("2025-12-01".parse().unwrap()),
                ],
            ]),
        };
        let (_, texts) = read(table, ROWS_MOST);
        let text = &texts[0];
        assert!(
            text.contains("<t xml:space=\"preserve\">=1+1 &lt;b&gt; &amp; </t>"),
            "{text}"
        );
        assert!(text.contains("<c s=\"3\"><v>12.5</v></c>"), "{text}");
        assert!(
            text.contains("<c s=\"6\"><v>45992.5</v></c><c s=\"4\"><v>45992</v></c>"),
            "{text}"
        );
        assert!(
            text.contains("<autoFilter ref=\"A1:B3\"/>") && !text.contains("<f>"),
            "{text}"
        );
        assert_eq!([0, 25, 26, 701, 702].map(column), ["A", "Z", "AA", "ZZ", "AAA"]);
    }

    #[test]
    fn a_table_that_is_too_long_for_a_sheet_goes_on_in_another_one() {
        let table = Table {
            name: "Servers",
            head: vec!["Nth".to_owned()],
            rows: Box::new((0..25).map(|nth| Ok(vec![Cell::Count(nth)]))),
        };
        let (names, texts) = read(table, 11);
        assert_eq!(names, ["Servers", "Servers 2", "Servers 3"]);
        let counts = texts.iter().map(|text| text.matches("<v>").count());
        assert_eq!(
            counts.collect::<Vec<_>>(),
            [10, 10, 5],
            "none is lost, and each sheet has its head"
        );
        assert!(texts[2].contains("<v>24</v>") && texts[2].contains("ref=\"A1:A6\""));
    }
}

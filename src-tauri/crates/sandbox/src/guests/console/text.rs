//! A text screen of 80 by 25 letters, as a server's graphics card shows it, and how it looks in pixels.

use noto_sans_mono_bitmap::{FontWeight, RasterHeight, get_raster, get_raster_width};

pub(super) const COLUMNS: usize = 80;
pub(super) const ROWS: usize = 25;
const HEIGHT: RasterHeight = RasterHeight::Size20;
/// A letter in pixels.
pub(super) const LETTER_WIDTH: usize = get_raster_width(FontWeight::Regular, HEIGHT);
pub(super) const LETTER_HEIGHT: usize = HEIGHT.val();

const GREY: [u8; 3] = [0xaa, 0xaa, 0xaa];
/// The colours that `ESC [ 30 m` and the following choose.
const COLOURS: [[u8; 3]; 8] = [
    [0x55, 0x55, 0x55],
    [0xff, 0x6b, 0x6b],
    [0x55, 0xdd, 0x55],
    [0xff, 0xdd, 0x55],
    [0x78, 0xa9, 0xff],
    [0xff, 0x7a, 0xff],
    [0x55, 0xdd, 0xdd],
    [0xff, 0xff, 0xff],
];

#[derive(Clone, Copy, PartialEq)]
struct Cell {
    letter: char,
    colour: [u8; 3],
}

const BLANK: Cell = Cell {
    letter: ' ',
    colour: GREY,
};

/// Inside a sequence that is not shown.
enum Escape {
    No,
    Begun,
    /// `ESC [`, with its parameters so far.
    Control(String),
    /// `ESC ]`, until a bell.
    System,
}

pub(super) struct Text {
    rows: Vec<[Cell; COLUMNS]>,
    /// When each row last changed, on the count of all changes.
    changed: Vec<u64>,
    count: u64,
    column: usize,
    row: usize,
    colour: [u8; 3],
    escape: Escape,
}

impl Default for Text {
    fn default() -> Self {
        Self {
            rows: vec![[BLANK; COLUMNS]; ROWS],
            changed: vec![1; ROWS],
            count: 1,
            column: 0,
            row: 0,
            colour: GREY,
            escape: Escape::No,
        }
    }
}

impl Text {
    /// Counts changes.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// The rows that changed since the count was that, from the top.
    pub(super) fn changed_since(&self, count: u64) -> impl Iterator<Item = usize> {
        let rows = self.changed.iter().enumerate();
        rows.filter(move |(_, at)| **at > count).map(|(row, _)| row)
    }

    /// Everything is blank, as after switching on.
    pub(super) fn clear(&mut self) {
        self.rows.fill([BLANK; COLUMNS]);
        self.count += 1;
        self.changed.fill(self.count);
        (self.column, self.row, self.colour, self.escape) = (0, 0, GREY, Escape::No);
    }

    /// Shows text, with the sequences that the guest's shell uses.
    pub(super) fn write(&mut self, text: &str) {
        self.count += 1;
        self.touch();
        for letter in text.chars() {
            match std::mem::replace(&mut self.escape, Escape::No) {
                Escape::No => self.plain(letter),
                Escape::Begun => {
                    self.escape = match letter {
                        '[' => Escape::Control(String::new()),
                        ']' => Escape::System,
                        _ => Escape::No,
                    }
                }
                Escape::Control(mut so_far) => {
                    if letter.is_ascii_alphabetic() {
                        self.control(&so_far, letter);
                    } else if so_far.len() < 16 {
                        so_far.push(letter);
                        self.escape = Escape::Control(so_far);
                    }
                }
                Escape::System => {
                    if letter != '\x07' {
                        self.escape = Escape::System;
                    }
                }
            }
        }
        self.touch();
    }

    fn plain(&mut self, letter: char) {
        match letter {
            '\x1b' => self.escape = Escape::Begun,
            '\r' => self.column = 0,
            '\n' => self.next_row(),
            '\x08' => self.column = self.column.saturating_sub(1),
            '\t' => self.column = (self.column / 8 + 1) * 8,
            letter if letter.is_control() => {}
            // A graphics card knows the letters of its own font, as here.
            letter if get_raster(letter, FontWeight::Regular, HEIGHT).is_some() => self.put(letter),
            letter => {
                for _ in 0..super::super::machine::width(letter) {
                    self.put('?');
                }
            }
        }
    }

    fn put(&mut self, letter: char) {
        if self.column >= COLUMNS {
            self.column = 0;
            self.next_row();
        }
        let colour = self.colour;
        if let Some(cell) = self
            .rows
            .get_mut(self.row)
            .and_then(|row| row.get_mut(self.column))
        {
            *cell = Cell { letter, colour };
        }
        self.column += 1;
    }

    fn next_row(&mut self) {
        self.touch();
        if self.row + 1 < ROWS {
            self.row += 1;
        } else {
            self.rows.remove(0);
            self.rows.push([BLANK; COLUMNS]);
            self.changed.fill(self.count);
        }
        self.touch();
    }

    fn control(&mut self, parameters: &str, letter: char) {
        match letter {
            'm' => {
                for number in parameters.split(';').map(|text| text.parse().unwrap_or(0_usize)) {
                    self.colour = match number {
                        0 | 39 => GREY,
                        30..=37 => COLOURS.get(number - 30).copied().unwrap_or(GREY),
                        _ => self.colour,
                    };
                }
            }
            'K' => {
                let column = self.column.min(COLUMNS);
                if let Some(rest) = self.rows.get_mut(self.row).and_then(|row| row.get_mut(column..)) {
                    rest.fill(BLANK);
                }
            }
            'J' => {
                self.rows.fill([BLANK; COLUMNS]);
                self.changed.fill(self.count);
            }
            'H' => {
                self.touch();
                (self.column, self.row) = (0, 0);
            }
            _ => {}
        }
    }

    /// The row of the cursor has to be shown anew.
    fn touch(&mut self) {
        if let Some(changed) = self.changed.get_mut(self.row) {
            *changed = self.count;
        }
    }

    /// A row in pixels, each as red, green and blue: [`LETTER_HEIGHT`] lines from the top.
    pub(super) fn pixels(&self, row: usize) -> Vec<[u8; 3]> {
        let mut pixels = vec![[0; 3]; COLUMNS * LETTER_WIDTH * LETTER_HEIGHT];
        let Some(cells) = self.rows.get(row) else {
            return pixels;
        };
        for (column, cell) in cells.iter().enumerate() {
            let Some(raster) = get_raster(cell.letter, FontWeight::Regular, HEIGHT) else {
                continue;
            };
            for (y, line) in raster.rows().enumerate() {
                let start = y * COLUMNS * LETTER_WIDTH + column * LETTER_WIDTH;
                let Some(target) = pixels.get_mut(start..start + LETTER_WIDTH) else {
                    continue;
                };
                for (pixel, strength) in target.iter_mut().zip(line.iter()) {
                    *pixel = cell.colour.map(|part| {
                        u8::try_from(u16::from(part) * u16::from(*strength) / 255).unwrap_or(part)
                    });
                }
            }
        }
        if row == self.row && self.column < COLUMNS {
            // The cursor: a line below its letter.
            for y in LETTER_HEIGHT - 3..LETTER_HEIGHT - 1 {
                let start = y * COLUMNS * LETTER_WIDTH + self.column * LETTER_WIDTH;
                if let Some(line) = pixels.get_mut(start..start + LETTER_WIDTH) {
                    line.fill(GREY);
                }
            }
        }
        pixels
    }

    /// What stands in a row.
    #[cfg(test)]
    pub(super) fn line(&self, row: usize) -> String {
        let letters = self.rows[row].iter().map(|cell| cell.letter);
        letters.collect::<String>().trim_end().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_stands_there_and_moves_up_at_the_end() {
        let mut text = Text::default();
        text.write("one\r\n\x1b[32mtwo\x1b[0m\x1b]7;file://h/root\x07!\r\n中");
        assert_eq!([text.line(0), text.line(1), text.line(2)], ["one", "two!", "??"]);
        text.write("\x08\x08\x1b[K");
        assert_eq!(text.line(2), "");
        let before = text.count();
        assert_eq!(text.changed_since(before).count(), 0);
        text.write("x");
        assert_eq!(text.changed_since(before).collect::<Vec<_>>(), [2]);
        for number in 0..ROWS {
            text.write(&format!("\r\n{number}"));
        }
        assert_eq!(text.line(ROWS - 1), "24");
        assert_eq!(text.changed_since(before).count(), ROWS);
    }

    #[test]
    fn letters_have_pixels() {
        let mut text = Text::default();
        text.write("\x1b[32mX");
        let pixels = text.pixels(0);
        assert!(pixels.contains(&[0x55, 0xdd, 0x55]), "green somewhere");
        assert!(pixels.contains(&[0, 0, 0]));
    }
}

//! A keyboard: keys that go down and up, by their X11 names, and the bytes that a terminal makes of them.

const BACKSPACE: u32 = 0xff08;
const TAB: u32 = 0xff09;
const RETURN: u32 = 0xff0d;
const ESCAPE: u32 = 0xff1b;
const UP: u32 = 0xff52;
const DOWN: u32 = 0xff54;
const PAD_ENTER: u32 = 0xff8d;
const CONTROL: [u32; 2] = [0xffe3, 0xffe4];
const ALT: [u32; 2] = [0xffe9, 0xffea];
const DELETE: u32 = 0xffff;
/// Keys whose name is this and a letter's number.
const UNICODE: u32 = 0x0100_0000;

/// What a key does.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stroke {
    Bytes(Vec<u8>),
    /// Ctrl, Alt and Delete.
    Reset,
}

#[derive(Default)]
pub(super) struct Keyboard {
    control: bool,
    alt: bool,
}

impl Keyboard {
    /// A key went down or up.
    pub(super) fn key(&mut self, key: u32, down: bool) -> Option<Stroke> {
        if CONTROL.contains(&key) {
            self.control = down;
            return None;
        }
        if ALT.contains(&key) {
            self.alt = down;
            return None;
        }
        if !down {
            return None;
        }
        let bytes = match key {
            DELETE if self.control && self.alt => return Some(Stroke::Reset),
            BACKSPACE => vec![0x7f],
            TAB => vec![b'\t'],
            RETURN | PAD_ENTER => vec![b'\r'],
            ESCAPE => vec![0x1b],
            UP => b"\x1b[A".to_vec(),
            DOWN => b"\x1b[B".to_vec(),
            key => {
                let number = if key >= UNICODE { key - UNICODE } else { key };
                // Between Latin-1 and the named ones there are old names that no viewer of today sends.
                let letter = char::from_u32(number).filter(|_| number <= 0xff || key >= UNICODE)?;
                match u8::try_from(u32::from(letter.to_ascii_lowercase())) {
                    Ok(low @ b'a'..=b'z') if self.control => vec![low - b'a' + 1],
                    _ => letter.to_string().into_bytes(),
                }
            }
        };
        Some(Stroke::Bytes(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_make_letters_control_codes_and_a_reset() {
        let mut keyboard = Keyboard::default();
        let bytes = |bytes: &[u8]| Some(Stroke::Bytes(bytes.to_vec()));
        assert_eq!(keyboard.key(u32::from('A'), true), bytes(b"A"));
        assert_eq!(keyboard.key(u32::from('A'), false), None);
        assert_eq!(keyboard.key(0x0100_4e2d, true), bytes("中".as_bytes()));
        assert_eq!(keyboard.key(0xfe03, true), None);
        keyboard.key(0xffe3, true);
        assert_eq!(keyboard.key(u32::from('c'), true), bytes(&[3]));
        keyboard.key(0xffe9, true);
        assert_eq!(keyboard.key(DELETE, true), Some(Stroke::Reset));
        keyboard.key(0xffe3, false);
        assert_eq!(keyboard.key(DELETE, true), None);
    }
}

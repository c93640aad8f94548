//! A line of a guest's shell: its words, its pipes, where its output goes.

/// A word of a line; what was quoted is no sign.
pub(super) struct Word {
    pub text: String,
    quoted: bool,
}

impl Word {
    pub(super) fn is_sign(&self, sign: &str) -> bool {
        !self.quoted && self.text == sign
    }
}

/// The words of a line.
pub(super) fn split(line: &str) -> Result<Vec<Word>, String> {
    let mut words = Vec::new();
    let mut now: Option<Word> = None;
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            ' ' | '\t' => words.extend(now.take()),
            '#' if now.is_none() => break,
            '>' if now.as_ref().is_some_and(|word| word.is_sign("2")) => {
                // What a command complains of is nobody's business here: there is one output only.
                now = None;
                while letters.next_if(|letter| *letter == ' ').is_some() {}
                while letters.next_if(|letter| !" ;|".contains(*letter)).is_some() {}
            }
            ';' | '>' | '&' | '|' => {
                words.extend(now.take());
                let mut text = letter.to_string();
                if letter != ';' && letters.next_if_eq(&letter).is_some() {
                    text.push(letter);
                }
                if text == "&" {
                    return Err("nothing runs in the background of this simulated machine".to_owned());
                }
                words.push(Word { text, quoted: false });
            }
            '<' | '`' | '(' => {
                return Err(format!("`{letter}` is not known to this simulated machine"));
            }
            '\'' | '"' => {
                let word = now.get_or_insert(Word {
                    text: String::new(),
                    quoted: true,
                });
                word.quoted = true;
                loop {
                    match letters.next() {
                        None => return Err("a quote is not closed".to_owned()),
                        Some(end) if end == letter => break,
                        Some(inside) => word.text.push(inside),
                    }
                }
            }
            letter => now
                .get_or_insert(Word {
                    text: String::new(),
                    quoted: false,
                })
                .text
                .push(if letter == '\\' {
                    letters.next().unwrap_or('\\')
                } else {
                    letter
                }),
        }
    }
    words.extend(now);
    Ok(words)
}

/// The commands of a line, each with the sign before it.
pub(super) fn commands(words: Vec<Word>) -> Vec<(String, Vec<Word>)> {
    let mut commands = vec![(";".to_owned(), Vec::new())];
    for word in words {
        if [";", "&&", "||"].iter().any(|sign| word.is_sign(sign)) {
            commands.push((word.text, Vec::new()));
        } else if let Some((_, command)) = commands.last_mut() {
            command.push(word);
        }
    }
    commands
}

/// The commands of a pipe, each of which reads what the one before it says.
pub(super) fn pipe(words: Vec<Word>) -> Vec<Vec<Word>> {
    let mut commands = vec![Vec::new()];
    for word in words {
        match commands.last_mut() {
            Some(command) if !word.is_sign("|") => command.push(word),
            _ => commands.push(Vec::new()),
        }
    }
    commands
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(line: &str) -> Vec<Vec<Vec<String>>> {
        let words = split(line).unwrap();
        let text = |word: Word| word.text;
        commands(words)
            .into_iter()
            .map(|(_, words)| {
                pipe(words)
                    .into_iter()
                    .map(|words| words.into_iter().map(text).collect())
                    .collect()
            })
            .collect()
    }

    #[test]
    fn a_line_is_taken_apart_at_its_signs_and_not_within_quotes() {
        assert_eq!(
            texts("df -h 2>/dev/null | grep 'a | b'; cat x 2>&1"),
            [
                vec![vec!["df", "-h"], vec!["grep", "a | b"]],
                vec![vec!["cat", "x"]]
            ]
        );
    }
}

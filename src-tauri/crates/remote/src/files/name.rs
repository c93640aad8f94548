//! Names that come from a server, and where they may lead. A server that calls a file `../../.bashrc` must not get it
//! written there.

use std::path::{Path, PathBuf};

/// The longest name, in bytes, that is written to a disk here.
const NAME_MOST: usize = 255;

/// Puts a name into a folder over there.
pub fn join(folder: &str, name: &str) -> String {
    match folder {
        "" | "." => name.to_owned(),
        folder if folder.ends_with('/') => format!("{folder}{name}"),
        folder => format!("{folder}/{name}"),
    }
}

/// The last part of a path over there.
pub(super) fn last(path: &str) -> &str {
    path.trim_end_matches('/').rsplit('/').next().unwrap_or_default()
}

/// The folder of a path over there.
pub(super) fn parent(path: &str) -> &str {
    match path.trim_end_matches('/').rsplit_once('/') {
        Some(("", _)) => "/",
        Some((folder, _)) => folder,
        None => ".",
    }
}

/// Whether it is one name and not a way.
pub(super) fn is_plain(name: &str) -> bool {
    !name.is_empty() && !matches!(name, "." | "..") && !name.contains(['/', '\0'])
}

/// Where a name from over there lies in a folder here; nothing when it would lead elsewhere or cannot exist here.
pub fn inside(folder: &Path, name: &str) -> Option<PathBuf> {
    let sound = is_plain(name) && name.len() <= NAME_MOST && !name.contains(char::REPLACEMENT_CHARACTER);
    (sound && (!cfg!(windows) || exists_on_windows(name))).then(|| folder.join(name))
}

/// Windows gives some names to devices and some signs a meaning, and drops what stands at the end.
fn exists_on_windows(name: &str) -> bool {
    let odd = |letter: char| letter.is_control() || "\\:*?\"<>|".contains(letter);
    let stem = name
        .split('.')
        .next()
        .unwrap_or_default()
        .trim_end()
        .to_uppercase();
    let device = matches!(
        stem.as_str(),
        "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$"
    ) || ["COM", "LPT"].iter().any(|kind| {
        let number = stem.strip_prefix(kind);
        number.is_some_and(|rest| {
            rest.chars().count() == 1 && rest.chars().all(|digit| "123456789¹²³".contains(digit))
        })
    });
    !name.contains(odd) && !name.ends_with(['.', ' ']) && !device
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_never_leads_out_of_its_folder() {
        let folder = Path::new("/tmp/in");
        for name in ["..", ".", "", "../x", "a/b", "/etc/passwd", "a\0b", "\u{fffd}"] {
            assert_eq!(inside(folder, name), None, "{name:?}");
        }
        for name in ["a", "..a", "网程.txt", "a b", "-rf", "a\nb"] {
            assert_eq!(inside(folder, name), Some(folder.join(name)), "{name:?}");
        }
        assert_eq!(inside(folder, &"x".repeat(256)), None);
    }

    #[test]
    fn names_that_mean_something_else_on_windows_are_known() {
        for name in [
            "NUL", "con.txt", "COM1", "lpt9.a.b", "a:b", "a\\b", "a.", "a ", "x?", "CON .txt",
        ] {
            assert!(!exists_on_windows(name), "{name:?}");
        }
        for name in ["console", "COM10", "a.b", "网程", ".bashrc"] {
            assert!(exists_on_windows(name), "{name:?}");
        }
    }

    #[test]
    fn paths_over_there_are_taken_apart_and_put_together() {
        assert_eq!((parent("/a/b"), last("/a/b")), ("/a", "b"));
        assert_eq!((parent("/a"), last("/a/")), ("/", "a"));
        assert_eq!((parent("a"), last("a")), (".", "a"));
        assert_eq!(
            (join("/", "a"), join("/x", "a"), join(".", "a")),
            ("/a".into(), "/x/a".into(), "a".into())
        );
    }

    proptest! {
        #[test]
        fn whatever_a_server_calls_it_its_folder_holds_it(name in "\\PC{0,40}") {
            let folder = Path::new("/tmp/in");
            if let Some(path) = inside(folder, &name) {
                prop_assert_eq!(path.parent(), Some(folder));
            }
        }
    }
}

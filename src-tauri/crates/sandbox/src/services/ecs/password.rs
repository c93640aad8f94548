//! Passwords in requests.

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::world::PasswordMark;

/// Looked at; nothing but what it is known again by is kept.
pub(super) struct Password(SecretString);

impl<'de> Deserialize<'de> for Password {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(text.into()))
    }
}

impl Password {
    /// What a guest knows it again by.
    pub(super) fn mark(&self) -> PasswordMark {
        PasswordMark::of(self.0.expose_secret())
    }

    /// 8 to 26 characters.
    pub(super) fn has_length(&self) -> bool {
        (8..=26).contains(&self.0.expose_secret().chars().count())
    }

    /// The users that images come with may not be in a password, neither way round.
    pub(super) fn names(&self, user: &str) -> bool {
        let text = self.0.expose_secret().to_lowercase();
        let reverse: String = user.chars().rev().collect();
        text == user || text == reverse
    }

    /// 8 to 26 characters of at least three of four kinds.
    pub(super) fn is_strong(&self) -> bool {
        let text = self.0.expose_secret();
        let kinds = [
            text.chars().any(|c| c.is_ascii_uppercase()),
            text.chars().any(|c| c.is_ascii_lowercase()),
            text.chars().any(|c| c.is_ascii_digit()),
            text.chars().any(|c| "!@$%^-_=+[{}]:,./?".contains(c)),
        ];
        (8..=26).contains(&text.chars().count()) && kinds.iter().filter(|kind| **kind).count() >= 3
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_needs_three_kinds_of_characters() {
        let strong = |text: &str| Password(text.to_owned().into()).is_strong();
        assert!(strong("Example123"));
        assert!(!strong("example123"));
        assert!(!strong("Ex1!"));
    }

    #[test]
    fn a_password_is_not_the_users_name_neither_way_round() {
        let names = |text: &str| Password(text.to_owned().into()).names("administrator");
        assert!(names("Administrator"));
        assert!(names("rotartsinimdA"));
        assert!(!names("Administrat0r"));
    }
}

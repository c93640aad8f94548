//! Quotas, which several services tell in the same way.

/// How much of a quota is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// What is allowed; `None` for no limit.
    pub max: Option<u64>,
    /// What is in use.
    pub used: u64,
}

impl Usage {
    pub(crate) fn new(max: Option<i64>, used: Option<i64>) -> Self {
        // -1 stands for "no limit"; an absent number limits nothing either.
        Self {
            max: max.and_then(|max| u64::try_from(max).ok()),
            used: used.and_then(|used| u64::try_from(used).ok()).unwrap_or_default(),
        }
    }

    /// What is left; `None` for no limit.
    pub fn left(&self) -> Option<u64> {
        self.max.map(|max| max.saturating_sub(self.used))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unlimited_quota_has_no_end() {
        assert_eq!(Usage::new(Some(-1), Some(7)).left(), None);
        assert_eq!(Usage::new(Some(5), Some(7)).left(), Some(0));
        assert_eq!(Usage::new(Some(5), Some(2)).left(), Some(3));
    }
}

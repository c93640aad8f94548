//! Money: a decimal amount with its currency.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// An amount of money. Decimal all the way: prices of an hour have more digits than binary fractions keep.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Money {
    /// Decimal amount, written as text on every wire.
    #[ts(type = "string")]
    pub amount: Decimal,
    /// ISO 4217, e.g. `CNY`.
    pub currency: String,
}

impl Money {
    /// An amount in a currency.
    pub fn new(amount: Decimal, currency: impl Into<String>) -> Self {
        Self {
            amount,
            currency: currency.into(),
        }
    }

    /// This price of an hour for a number of hours, rounded to the cent upwards, as a bill would be.
    pub fn for_hours(&self, hours: Decimal) -> Self {
        use rust_decimal::RoundingStrategy::AwayFromZero;
        Self::new(
            (self.amount * hours).round_dp_with_strategy(2, AwayFromZero),
            self.currency.clone(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hours_price_times_hours_is_rounded_up_to_the_cent() {
        let hour = Money::new("0.2533".parse().unwrap(), "CNY");
        assert_eq!(hour.for_hours("8".parse().unwrap()).amount.to_string(), "2.03");
    }
}

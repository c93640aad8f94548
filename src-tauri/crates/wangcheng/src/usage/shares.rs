//! Whole numbers as decimals, rounded so that parts still add up.

use rust_decimal::Decimal;
use store::tally::Amounts;

/// Places of money and hours.
const PLACES: u32 = 6;
/// The tally's units of money in a millionth.
pub(super) const MONEY: i128 = Amounts::UNIT / 1_000_000;
/// Milliseconds × 10 in ten millionths of an hour: 3.6 ms are a millionth.
const HOUR_TENTHS: i128 = 36;

/// A number of units rounded to millionths, half away from zero.
pub(super) fn rounded(amount: i128, unit: i128) -> i128 {
    let half = if amount < 0 { -unit / 2 } else { unit / 2 };
    (amount + half) / unit
}

/// How the parts share a total that was rounded already: each gets what it has in whole, and those with the largest
/// remainders one more, until the total is reached. The parts are not negative.
pub(super) fn shares(total: i128, parts: &[i128], unit: i128) -> Vec<i128> {
    let mut shares: Vec<i128> = parts.iter().map(|part| part.div_euclid(unit)).collect();
    let missing = usize::try_from(total - shares.iter().sum::<i128>()).unwrap_or_default();
    if missing > 0 {
        let mut order: Vec<(i128, usize)> =
            parts.iter().map(|part| -part.rem_euclid(unit)).zip(0..).collect();
        order.sort_unstable();
        for (_, nth) in order.into_iter().take(missing) {
            if let Some(share) = shares.get_mut(nth) {
                *share += 1;
            }
        }
    }
    shares
}

/// Millionths as a decimal.
pub(super) fn decimal(millionths: i128) -> Decimal {
    Decimal::try_from_i128_with_scale(millionths, PLACES).unwrap_or(Decimal::MAX)
}

/// Millionths of hours that milliseconds come to.
pub(super) fn hours(ms: u128) -> i128 {
    rounded(tenths(ms), HOUR_TENTHS)
}

/// How times share a total of [`hours`].
pub(super) fn hour_shares(total: i128, parts: impl IntoIterator<Item = u128>) -> Vec<i128> {
    let parts: Vec<i128> = parts.into_iter().map(tenths).collect();
    shares(total, &parts, HOUR_TENTHS)
}

fn tenths(ms: u128) -> i128 {
    i128::try_from(ms).unwrap_or(i128::MAX / 10).saturating_mul(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thirds_share_what_the_whole_was_rounded_to() {
        let third = MONEY * 10 / 3;
        let parts = [third, third, MONEY * 10 - 2 * third];
        let total = rounded(parts.iter().sum(), MONEY);
        let shared = shares(total, &parts, MONEY);
        assert_eq!((total, shared.iter().sum::<i128>()), (10, 10));
        assert_eq!(shared, [4, 3, 3], "of equal remainders the first");
    }

    #[test]
    fn half_an_hour_and_a_millisecond_are_told_to_six_places() {
        assert_eq!(decimal(hours(1_800_000)).to_string(), "0.500000");
        assert_eq!(decimal(hours(1)).to_string(), "0.000000");
        assert_eq!(
            hour_shares(hours(3_600_000), [1_200_000, 1_200_000, 1_200_000])
                .iter()
                .sum::<i128>(),
            1_000_000
        );
    }
}

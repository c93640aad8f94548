//! What both measurements say: rows of the benchmarks' report.

pub const MIB: f64 = 1024.0 * 1024.0;

pub fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

/// A row of rates in MiB/s; `reach` is the ratio to come to.
pub fn row(what: &str, against: &str, ours: f64, theirs: f64, reach: f64) {
    let ratio = ours / theirs;
    let verdict = if ratio >= reach { "reached" } else { "MISSED" };
    println!(
        "| {what} | {against} | {ours:.0} MiB/s | {theirs:.0} MiB/s | {ratio:.2} × | ≥ {reach} × | {verdict} |"
    );
}

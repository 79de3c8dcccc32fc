//! The 95 % Wilson score interval of a share (E. B. Wilson, 1927, JASA 22:209): true also for few deliveries and for shares
//! near 0, where the usual ± is not.

/// The 97.5 % point of the normal distribution: 95 % lie between minus and plus this.
const Z: f64 = 1.959_963_984_540_054;

/// Lower and upper end of the 95 % interval of `part / whole`, as fractions; `None` when `whole` is 0.
///
/// ```
/// let (low, high) = bouncestat_aggregation::interval(1, 1).unwrap();
/// assert!(low < 0.21 && high == 1.0, "one of one is not much");
/// ```
pub fn interval(part: i64, whole: i64) -> Option<(f64, f64)> {
    if whole <= 0 {
        return None;
    }
    let n = whole as f64;
    let p = part as f64 / n;
    let z2 = Z * Z;
    let centre = p + z2 / (2.0 * n);
    let spread = Z * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z2 / n;
    // At the two ends the formula gives 0 and 1 but for rounding.
    let low = if part == 0 { 0.0 } else { ((centre - spread) / scale).max(0.0) };
    let high = if part == whole { 1.0 } else { ((centre + spread) / scale).min(1.0) };
    Some((low, high))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_published_values() {
        // R: prop.test(81, 263, correct = FALSE): Newcombe 1998, table I, method 3.
        let (low, high) = interval(81, 263).unwrap();
        assert!((low - 0.2553).abs() < 5e-5 && (high - 0.3662).abs() < 5e-5, "{low} {high}");
        // Newcombe 1998: 0 of 20 and 1 of 29.
        let (low, high) = interval(0, 20).unwrap();
        assert!(low == 0.0 && (high - 0.1611).abs() < 5e-5, "{high}");
        let (low, high) = interval(1, 29).unwrap();
        assert!((low - 0.0061).abs() < 5e-5 && (high - 0.1718).abs() < 5e-5, "{low} {high}");
        assert_eq!(interval(0, 0), None);
    }
}

//! Ranges, tick labels, and labels that keep out of each other's way.

use std::ops::Range;

/// The range that holds all finite values with a margin of 6 % on both sides; never empty.
pub(super) fn padded_range(values: impl Iterator<Item = f64>) -> Range<f64> {
    let (low, high) = values
        .filter(|value| value.is_finite())
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    if low > high {
        return 0.0..1.0;
    }
    // One value, or values that differ by rounding only: room around it.
    let margin = (0.06 * (high - low)).max(1e-6 * low.abs().max(high.abs())).max(1e-9);
    low - margin..high + margin
}

/// Ticks that fit along an axis of this many pixels, at most 8.
pub(super) fn tick_count(pixels: i32) -> usize {
    (pixels / 55).clamp(2, 8) as usize
}

/// Labels for at most `ticks` ticks over the range, with as many decimals as neighbours need to differ.
pub(super) fn tick_label(range: &Range<f64>, ticks: usize) -> impl Fn(&f64) -> String + use<> {
    // plotters steps by 1, 2 or 5 times a power of ten: the smallest of these with no more ticks than that.
    let smallest_step = (range.end - range.start) / (ticks + 1) as f64;
    let exponent = smallest_step.log10().floor();
    let exponent = if smallest_step > 5.0 * 10_f64.powf(exponent) { exponent + 1.0 } else { exponent };
    let decimals = (-exponent).clamp(0.0, 12.0) as usize;
    move |value| {
        let label = format!("{value:.decimals$}");
        // Rounding -1e-17 gives "-0.00".
        if label.trim_start_matches(['-', '0', '.']).is_empty() { label.trim_start_matches('-').into() } else { label }
    }
}

/// Positions of at most `count` ticks along `range`, each with its label. On a logarithmic axis, whose positions are decimal
/// logarithms, they stand at 1, 2 and 5 times the powers of ten, or at powers alone where these are too many.
pub(super) fn ticks(range: &Range<f64>, count: usize, logarithmic: bool) -> Vec<(f64, String)> {
    if logarithmic {
        let decades = range.start.floor() as i32..=range.end.ceil() as i32;
        let at = |mantissas: &[f64]| -> Vec<f64> {
            let all = decades.clone().flat_map(|decade| mantissas.iter().map(move |m| f64::from(decade) + m.log10()));
            all.filter(|position| range.contains(position)).collect()
        };
        let choices = [at(&[1.0, 2.0, 5.0]), at(&[1.0, 3.0]), at(&[1.0])];
        let fitting = choices.iter().position(|positions| positions.len() <= count).unwrap_or(2);
        let positions = &choices[fitting];
        if positions.len() > 1 {
            return positions.iter().map(|&position| (position, power_label(10_f64.powf(position)))).collect();
        }
        // Less than a decade without such a number in it: equal steps will do.
        let step = (range.end - range.start) / 4.0;
        let positions = (0..4).map(|tick| range.start + step * (f64::from(tick) + 0.5));
        return positions.map(|position| (position, format!("{:.2e}", 10_f64.powf(position)))).collect();
    }
    let smallest = (range.end - range.start) / count.max(1) as f64;
    let power = 10_f64.powf(smallest.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|m| m * power).into_iter().find(|step| *step >= smallest * (1.0 - 1e-9));
    let step = step.unwrap_or(10.0 * power);
    let (first, last) = ((range.start / step).ceil() as i64, (range.end / step).floor() as i64);
    let decimals = (-(step * 1.000_001).log10().floor()).clamp(0.0, 12.0) as usize;
    let positions = (first..=last).map(|tick| tick as f64 * step);
    positions.map(|position| (position, grouped(position, decimals))).collect()
}

/// A power of ten or a small multiple of one: `0.02`, `500`, `20,000`.
fn power_label(value: f64) -> String {
    let decimals = (-(value * 1.000_001).log10().floor()).clamp(0.0, 12.0) as usize;
    grouped(value, decimals)
}

/// A number with a comma before every third digit, and without the sign of -0.
fn grouped(value: f64, decimals: usize) -> String {
    let text = format!("{:.decimals$}", value.abs());
    let (whole, rest) = text.split_once('.').map_or((text.as_str(), String::new()), |(w, r)| (w, format!(".{r}")));
    let digits: Vec<char> = whole.chars().collect();
    let mut label: String = digits
        .iter()
        .enumerate()
        .flat_map(|(at, digit)| {
            let comma = at > 0 && (digits.len() - at).is_multiple_of(3);
            [comma.then_some(','), Some(*digit)].into_iter().flatten()
        })
        .collect();
    label += &rest;
    if value < 0.0 && label.contains(|c: char| ('1'..='9').contains(&c)) { format!("-{label}") } else { label }
}

/// Moves labels, given by their pixel along the axis, to be `gap` apart within `bounds`, keeping their order: onwards,
/// and back where the room ends. If there is not enough room for all they overlap evenly.
pub(super) fn spread(wanted: &[i32], gap: i32, bounds: Range<i32>) -> Vec<i32> {
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by_key(|&label| wanted[label]);
    let room = (bounds.end - bounds.start) / (wanted.len().max(2) as i32 - 1);
    let gap = gap.min(room);
    let mut placed = wanted.to_vec();
    let mut free = bounds.start;
    for &label in &order {
        placed[label] = placed[label].max(free);
        free = placed[label] + gap;
    }
    let mut limit = bounds.end;
    for &label in order.iter().rev() {
        placed[label] = placed[label].min(limit);
        limit = placed[label] - gap;
    }
    placed
}

/// Width in pixels that a text of this font size takes up at most, nearly always: sans-serif letters average half their
/// size, capitals and digits a little more.
pub(super) fn text_width(text: &str, font_size: f64) -> i32 {
    (text.chars().count() as f64 * 0.55 * font_size).ceil() as i32
}

/// [`text_width`] of the widest; 0 if there is none.
pub(super) fn widest<'a>(texts: impl Iterator<Item = &'a str>, font_size: f64) -> i32 {
    texts.map(|text| text_width(text, font_size)).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_hold_their_values_and_are_never_empty() {
        let range = padded_range([2.0, f64::NAN, 4.0, f64::INFINITY].into_iter());
        assert!((range.start - 1.88).abs() < 1e-12 && (range.end - 4.12).abs() < 1e-12);
        for values in [vec![], vec![f64::NAN], vec![0.0], vec![1e9, 1e9]] {
            let range = padded_range(values.into_iter());
            assert!(range.end > range.start);
        }
    }

    #[test]
    fn tick_labels_differ_and_zero_has_no_sign() {
        let label = tick_label(&(-0.31..0.42), 8);
        assert_eq!([-0.1, 0.0, -1e-17, 0.2].map(|tick| label(&tick)), ["-0.1", "0.0", "0.0", "0.2"]);
        assert_eq!(tick_label(&(0.0..100.0), 8)(&20.0), "20");
        assert_eq!(tick_label(&(0.047..0.103), 8)(&0.06), "0.06");
        assert_eq!(tick_label(&(0.6..0.8), 5)(&0.65), "0.65");
        assert_eq!(tick_label(&(0.0341..0.0352), 5)(&0.0344), "0.0344");
    }

    #[test]
    fn ticks_of_logarithmic_axes_are_round_numbers() {
        let names = |ticks: Vec<(f64, String)>| -> Vec<String> { ticks.into_iter().map(|(_, label)| label).collect() };
        let labels = |low: f64, high: f64, count| names(ticks(&(low.log10()..high.log10()), count, true));
        assert_eq!(labels(90.0, 1_100.0, 8), ["100", "200", "500", "1,000"]);
        assert_eq!(labels(0.009, 0.35, 4), ["0.01", "0.03", "0.1", "0.3"]);
        assert_eq!(labels(0.9, 2e6, 8), ["1", "10", "100", "1,000", "10,000", "100,000", "1,000,000"]);
        assert_eq!(labels(0.030, 0.031, 8).len(), 4);
        let found = names(ticks(&(-0.31..0.42), 8, false));
        assert_eq!(found, ["-0.3", "-0.2", "-0.1", "0.0", "0.1", "0.2", "0.3", "0.4"]);
    }

    #[test]
    fn spread_labels_stay_apart_in_order_and_inside() {
        assert_eq!(spread(&[10, 100, 50], 15, 0..200), [10, 100, 50], "nothing to do");
        assert_eq!(spread(&[50, 52, 51], 15, 0..200), [50, 80, 65]);
        assert_eq!(spread(&[195, 198], 15, 0..200), [185, 200]);
        assert_eq!(spread(&[0, 0, 0], 15, 0..20), [0, 10, 20], "too little room");
        assert!(spread(&[], 15, 0..20).is_empty());
    }
}

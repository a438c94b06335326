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
    fn spread_labels_stay_apart_in_order_and_inside() {
        assert_eq!(spread(&[10, 100, 50], 15, 0..200), [10, 100, 50], "nothing to do");
        assert_eq!(spread(&[50, 52, 51], 15, 0..200), [50, 80, 65]);
        assert_eq!(spread(&[195, 198], 15, 0..200), [185, 200]);
        assert_eq!(spread(&[0, 0, 0], 15, 0..20), [0, 10, 20], "too little room");
        assert!(spread(&[], 15, 0..20).is_empty());
    }
}

//! Max-pooling under 2x2 windows with stride 2, two rows at a time.
//!
//! ```text
//! upper row   a b | a b | ...      taps  0 1
//! lower row   c d | c d | ...            2 3
//! ```
//!
//! These windows share no pixel, so forward reads and backward writes every input once. The rows of a convolution's
//! output can be pooled as soon as two of them are done, while they are in the cache; which tap won takes one byte.
//!
//! The rules are those of [`crate::pool::max_pool2d`], which comes here for such windows: of equal values the first wins,
//! a NaN wins over any number, and the last NaN of a window over the others.

use crate::isa::dispatched;
use crate::window::Window2d;

/// Channels of one step. The last step of a wider pixel may overlap the one before: it writes the same values again.
/// Narrower pixels go value by value.
pub(crate) const LANES: usize = 8;

dispatched! {
    /// Two rows to one: the largest value of each window, per channel, and the tap (`2 * kh + kw`) it came from. An odd
    /// last column has no window.
    ///
    /// # Shapes
    /// `upper` and `lower` [width, channels]; `output` and `taps` [width / 2, channels], overwritten.
    ///
    /// # Panics
    /// If a slice has the wrong length.
    pub fn max_pool_rows(
        width: usize,
        channels: usize,
        upper: &[f32],
        lower: &[f32],
        output: &mut [f32],
        taps: &mut [u8],
    ) {
        check_rows(width * channels, upper.len(), lower.len());
        check_pooled_row(width / 2 * channels, output.len(), taps.len());
        pool_rows(channels, [upper, lower], output, taps, Taps);
    }

    /// The gradient of [`max_pool_rows`], one row to two: each gradient goes to the tap that won, every other value of
    /// both rows is 0, an odd last column included.
    ///
    /// # Shapes
    /// `grad_output` and `taps` [width / 2, channels], the taps in 0..4; `upper` and `lower` [width, channels],
    /// overwritten.
    ///
    /// # Panics
    /// If a slice has the wrong length.
    pub fn unpool_rows(
        width: usize,
        channels: usize,
        grad_output: &[f32],
        taps: &[u8],
        upper: &mut [f32],
        lower: &mut [f32],
    ) {
        check_rows(width * channels, upper.len(), lower.len());
        check_pooled_row(width / 2 * channels, grad_output.len(), taps.len());
        unpool_row(channels, grad_output, taps, [upper, lower], Taps);
    }
}

/// Can [`max_pool_plane`] and [`unpool_plane`] do this pooling?
#[inline(always)]
pub(crate) fn covers(window: &Window2d) -> bool {
    let two_by_two = window.kernel_size == [2, 2] && window.stride == [2, 2] && window.dilation == [1, 1];
    // With `ceil_mode`, the last windows may reach beyond the input.
    let all_inside = window.padding == [0, 0] && window.output == window.input.map(|size| size / 2);
    two_by_two && all_inside
}

/// [`crate::pool::max_pool2d`] for what it [`covers`]; the lengths are checked there.
#[inline(always)]
pub(crate) fn max_pool_plane(
    [_, width]: [usize; 2],
    channels: usize,
    input: &[f32],
    output: &mut [f32],
    indices: &mut [u32],
) {
    let (row_len, pooled_len) = (width * channels, width / 2 * channels);
    if pooled_len == 0 {
        return;
    }
    let pooled = output.chunks_exact_mut(pooled_len).zip(indices.chunks_exact_mut(pooled_len));
    for (row, (input, (output, indices))) in input.chunks_exact(2 * row_len).zip(pooled).enumerate() {
        let (upper, lower) = input.split_at(row_len);
        pool_rows(channels, [upper, lower], output, indices, Indices::new(2 * row, width));
    }
}

/// [`crate::pool::max_pool2d_grad_input`] for what it [`covers`]; the lengths are checked there. Writes every value of
/// `grad_input` once.
#[inline(always)]
pub(crate) fn unpool_plane(
    [height, width]: [usize; 2],
    channels: usize,
    indices: &[u32],
    grad_output: &[f32],
    grad_input: &mut [f32],
) {
    let (row_len, pooled_len) = (width * channels, width / 2 * channels);
    if pooled_len == 0 {
        grad_input.fill(0.0);
        return;
    }
    let (pairs, odd_row) = grad_input.split_at_mut(height / 2 * 2 * row_len);
    odd_row.fill(0.0);
    let pooled = grad_output.chunks_exact(pooled_len).zip(indices.chunks_exact(pooled_len));
    for (row, (grad_input, (grad_output, indices))) in pairs.chunks_exact_mut(2 * row_len).zip(pooled).enumerate() {
        let (upper, lower) = grad_input.split_at_mut(row_len);
        unpool_row(channels, grad_output, indices, [upper, lower], Indices::new(2 * row, width));
    }
}

/// How the winner of a window is written down: as its tap, or as its place in the plane.
trait Notation: Copy {
    type Note: Copy;

    /// The notes for `a`, `b`, `c` and `d` of the window at `column` of the pooled row.
    fn notes(self, column: usize) -> [Self::Note; 4];

    /// For `a`, `b`, `c` and `d`, given their `notes`: all ones if `note` is theirs, else 0.
    fn masks(notes: [Self::Note; 4], note: Self::Note) -> [u32; 4];
}

/// Taps 0 to 3.
#[derive(Clone, Copy)]
struct Taps;

impl Notation for Taps {
    type Note = u8;

    #[inline(always)]
    fn notes(self, _column: usize) -> [u8; 4] {
        [0, 1, 2, 3]
    }

    /// From the two bits of the tap: four comparisons of bytes, for lanes of 32 bits, do not vectorise well.
    #[inline(always)]
    fn masks(_notes: [u8; 4], tap: u8) -> [u32; 4] {
        let (right, lower) = (mask(tap & 1 != 0), mask(tap & 2 != 0));
        [!right & !lower, right & !lower, !right & lower, right & lower]
    }
}

/// Indices `h * width + w`.
#[derive(Clone, Copy)]
struct Indices {
    row_start: u32,
    width: u32,
}

impl Indices {
    /// For windows whose upper row is row `h` of planes `width` wide; the plane has at most 2^32 pixels.
    #[inline(always)]
    fn new(h: usize, width: usize) -> Self {
        Self { row_start: (h * width) as u32, width: width as u32 }
    }
}

impl Notation for Indices {
    type Note = u32;

    #[inline(always)]
    fn notes(self, column: usize) -> [u32; 4] {
        let (a, c) = (self.row_start + 2 * column as u32, self.row_start + self.width + 2 * column as u32);
        [a, a + 1, c, c + 1]
    }

    #[inline(always)]
    fn masks(notes: [u32; 4], index: u32) -> [u32; 4] {
        notes.map(|note| mask(note == index))
    }
}

#[inline(always)]
fn mask(condition: bool) -> u32 {
    u32::from(condition).wrapping_neg()
}

/// The maxima of a row of windows, and the notes of where they were.
#[inline(always)]
fn pool_rows<K: Notation>(
    channels: usize,
    [upper, lower]: [&[f32]; 2],
    output: &mut [f32],
    notes: &mut [K::Note],
    notation: K,
) {
    if channels == 0 {
        return;
    }
    let input = upper.chunks_exact(2 * channels).zip(lower.chunks_exact(2 * channels));
    let pooled = output.chunks_exact_mut(channels).zip(notes.chunks_exact_mut(channels));
    for (column, ((upper, lower), (output, notes))) in input.zip(pooled).enumerate() {
        let ((a, b), (c, d)) = (upper.split_at(channels), lower.split_at(channels));
        let (window, names) = ([a, b, c, d], notation.notes(column));
        if channels >= LANES {
            for start in (0..channels).step_by(LANES) {
                let at = start.min(channels - LANES);
                let (best, winner) = max_of_four(window, at, names);
                output[at..][..LANES].copy_from_slice(&best);
                notes[at..][..LANES].copy_from_slice(&winner);
            }
        } else {
            for at in 0..channels {
                let values = window.map(|pixel| pixel[at]);
                let tap = winner_of_four(values);
                (output[at], notes[at]) = (values[tap], names[tap]);
            }
        }
    }
}

/// The maxima over the pixels of a window in [`LANES`] channels from `at` on, and the names of the pixels they are from.
#[inline(always)]
fn max_of_four<T: Copy>(window: [&[f32]; 4], at: usize, names: [T; 4]) -> ([f32; LANES], [T; LANES]) {
    let (mut best, mut winner) = (lanes(window[0], at), [names[0]; LANES]);
    for tap in 1..4 {
        let values = &window[tap][at..][..LANES];
        for i in 0..LANES {
            let wins = values[i] > best[i] || values[i].is_nan();
            best[i] = if wins { values[i] } else { best[i] };
            winner[i] = if wins { names[tap] } else { winner[i] };
        }
    }
    (best, winner)
}

/// The tap of the maximum, without a branch on which value is larger: on images, guessing that fails every other time.
#[inline(always)]
fn winner_of_four([a, b, c, d]: [f32; 4]) -> usize {
    if a.is_nan() || b.is_nan() || c.is_nan() || d.is_nan() {
        return [a, b, c, d].iter().rposition(|x| x.is_nan()).expect("one of them is NaN");
    }
    let larger = |a: f32, b: f32| if b > a { b } else { a };
    let best = larger(larger(a, b), larger(c, d));
    usize::from(a != best) * (1 + usize::from(b != best) * (1 + usize::from(c != best)))
}

/// Each gradient of a pooled row where its note says, 0 elsewhere in both rows.
#[inline(always)]
fn unpool_row<K: Notation>(
    channels: usize,
    grad_output: &[f32],
    notes: &[K::Note],
    [upper, lower]: [&mut [f32]; 2],
    notation: K,
) {
    if channels == 0 {
        return;
    }
    let paired = upper.len() / (2 * channels) * (2 * channels);
    let ((upper, upper_rest), (lower, lower_rest)) = (upper.split_at_mut(paired), lower.split_at_mut(paired));
    upper_rest.fill(0.0);
    lower_rest.fill(0.0);
    let grad_input = upper.chunks_exact_mut(2 * channels).zip(lower.chunks_exact_mut(2 * channels));
    let pooled = grad_output.chunks_exact(channels).zip(notes.chunks_exact(channels));
    for (column, ((upper, lower), (grad_output, notes))) in grad_input.zip(pooled).enumerate() {
        let ((a, b), (c, d)) = (upper.split_at_mut(channels), lower.split_at_mut(channels));
        let (window, names) = ([a, b, c, d], notation.notes(column));
        if channels >= LANES {
            for start in (0..channels).step_by(LANES) {
                let at = start.min(channels - LANES);
                let routed = route::<LANES, K>(lanes(grad_output, at), lanes(notes, at), names);
                for tap in 0..4 {
                    window[tap][at..][..LANES].copy_from_slice(&routed[tap]);
                }
            }
        } else {
            for at in 0..channels {
                let routed = route::<1, K>([grad_output[at]], [notes[at]], names);
                for tap in 0..4 {
                    window[tap][at] = routed[tap][0];
                }
            }
        }
    }
}

/// For each pixel of a window: the gradient in the lanes it won, 0 in the others.
#[inline(always)]
fn route<const N: usize, K: Notation>(grad: [f32; N], winner: [K::Note; N], names: [K::Note; 4]) -> [[f32; N]; 4] {
    let mut routed = [[0.0; N]; 4];
    for i in 0..N {
        // Masks, not selections: those would become stores through a mask, ten times slower on some CPUs.
        let masks = K::masks(names, winner[i]);
        for tap in 0..4 {
            routed[tap][i] = f32::from_bits(grad[i].to_bits() & masks[tap]);
        }
    }
    routed
}

/// `LANES` values from `at` on.
#[inline(always)]
fn lanes<T: Copy>(values: &[T], at: usize) -> [T; LANES] {
    values[at..][..LANES].try_into().expect("LANES values")
}

#[inline(always)]
fn check_rows(expected: usize, upper_len: usize, lower_len: usize) {
    assert_eq!(upper_len, expected, "2x2 pooling: the upper row is width x channels");
    assert_eq!(lower_len, expected, "2x2 pooling: the lower row is width x channels");
}

#[inline(always)]
fn check_pooled_row(expected: usize, values_len: usize, taps_len: usize) {
    assert_eq!(values_len, expected, "2x2 pooling: the pooled row is width / 2 x channels");
    assert_eq!(taps_len, expected, "2x2 pooling: one tap per pooled value");
}

#[cfg(test)]
mod tests;

//! Copies of images with zeros around them, so that a kernel never asks whether its window hangs over the edge.

/// A rectangle that is cut out of a channels-last image, and may reach beyond it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Size of the image, `[H, W]`.
    pub image: [usize; 2],
    /// Size of the rectangle, `[height, width]`.
    pub size: [usize; 2],
    /// The column of the image at the left edge of the rectangle; negative when it starts before the image.
    pub left: isize,
    /// Channels of the image.
    pub channels: usize,
    /// Distance between the pixels of the copy: `channels`, or more to keep pixels in different cache sets.
    pub pixel: usize,
}

impl Frame {
    /// Values of the copy. Those between the channels of one pixel and the next pixel are left alone.
    pub fn copy_len(&self) -> usize {
        self.size[0] * self.row_len()
    }

    /// Values of one row of the copy.
    pub fn row_len(&self) -> usize {
        self.size[1] * self.pixel
    }

    /// The columns of the copy that lie on the image, and the image's column at the first of them.
    fn columns(&self) -> (std::ops::Range<usize>, usize) {
        let start = self.left.min(0).unsigned_abs().min(self.size[1]);
        let end = (self.image[1] as isize - self.left).clamp(start as isize, self.size[1] as isize) as usize;
        (start..end, (self.left.max(0) as usize).min(self.image[1]))
    }

    /// The row of the image under row `row` of a copy whose first row is row `top` of the image, if there is one.
    fn row_below(&self, top: isize, row: usize) -> Option<usize> {
        usize::try_from(top + row as isize).ok().filter(|&row| row < self.image[0])
    }

    /// Copies the rectangle whose first row is row `top` of the image; zeros where it lies outside.
    ///
    /// # Shapes
    /// `image` [H, W, C]; `to` [height, width, pixel].
    ///
    /// # Panics
    /// If a slice has the wrong length.
    pub fn copy(&self, image: &[f32], top: isize, to: &mut [f32]) {
        let image_row = self.image[1] * self.channels;
        assert_eq!(image.len(), self.image[0] * image_row, "Frame::copy: an image of {:?} expected", self.image);
        self.copy_rows(top, to, |row, first, to| {
            let from = &image[row * image_row + first * self.channels..];
            if self.pixel == self.channels {
                to.copy_from_slice(&from[..to.len()]);
            } else {
                for (to, from) in to.chunks_mut(self.pixel).zip(from.chunks_exact(self.channels)) {
                    to[..self.channels].copy_from_slice(from);
                }
            }
        });
    }

    /// As [`copy`](Self::copy), of the gradient of an image of which only the maxima of 2x2 windows went on: `grad` and
    /// `taps` are those of [`pool2x2`](crate::pool2x2). `spare` is a row that may be overwritten; a rectangle that
    /// begins and ends with whole windows needs none.
    ///
    /// # Shapes
    /// `grad` and `taps` [H/2, W/2, C]; `to` [height, width, C]; `spare` at least [W, C] or empty.
    ///
    /// # Panics
    /// If a slice has the wrong length, the pixels are not side by side, or the rectangle cuts columns off.
    pub fn copy_unpooled(&self, grad: &[f32], taps: &[u8], top: isize, to: &mut [f32], spare: &mut [f32]) {
        let (columns, first) = self.columns();
        let [h, w] = self.image;
        assert!(self.pixel == self.channels && first == 0 && columns.len() == w, "copy_unpooled: whole rows expected");
        let pooled_row = w / 2 * self.channels;
        assert_eq!([grad.len(), taps.len()], [h / 2 * pooled_row; 2], "copy_unpooled: one tap for each gradient");
        assert_eq!(to.len(), self.copy_len(), "copy_unpooled: a copy of {:?} expected", self.size);
        let (row_len, inside) = (self.row_len(), columns.start * self.channels..columns.end * self.channels);
        let mut rest = to;
        let mut row = 0;
        while !rest.is_empty() {
            let at = top + row as isize;
            let pair = usize::try_from(at).ok().map(|at| at / 2).filter(|pair| pair * 2 + 1 < h);
            let Some(pair) = pair else {
                // Outside, or the odd last row, which no window saw.
                let (outside, after) = rest.split_at_mut(row_len);
                outside.fill(0.0);
                (rest, row) = (after, row + 1);
                continue;
            };
            let both = at % 2 == 0 && rest.len() >= 2 * row_len;
            let (now, after) = rest.split_at_mut(if both { 2 * row_len } else { row_len });
            for row in now.chunks_mut(row_len) {
                row[..inside.start].fill(0.0);
                row[inside.end..].fill(0.0);
            }
            let pooled = pair * pooled_row..(pair + 1) * pooled_row;
            let (grad, taps) = (&grad[pooled.clone()], &taps[pooled]);
            let (upper, lower) = now.split_at_mut(row_len.min(now.len()));
            let upper = &mut upper[inside.clone()];
            if both {
                crate::pool2x2::unpool_rows(w, self.channels, grad, taps, upper, &mut lower[inside.clone()]);
            } else if at % 2 == 0 {
                crate::pool2x2::unpool_rows(w, self.channels, grad, taps, upper, &mut spare[..inside.len()]);
            } else {
                crate::pool2x2::unpool_rows(w, self.channels, grad, taps, &mut spare[..inside.len()], upper);
            }
            (rest, row) = (after, row + if both { 2 } else { 1 });
        }
    }

    /// Fills every row of `to`: by `fill(image row, first image column, part of the row)` on the image, with 0 outside.
    fn copy_rows(&self, top: isize, to: &mut [f32], mut fill: impl FnMut(usize, usize, &mut [f32])) {
        assert_eq!(to.len(), self.copy_len(), "Frame: a copy of {:?} expected", self.size);
        let (columns, first) = self.columns();
        let inside = columns.start * self.pixel..columns.end * self.pixel;
        for (row, to) in to.chunks_mut(self.row_len().max(1)).enumerate() {
            match self.row_below(top, row) {
                Some(row) => {
                    to[..inside.start].fill(0.0);
                    fill(row, first, &mut to[inside.clone()]);
                    to[inside.end..].fill(0.0);
                }
                None => to.fill(0.0),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{pool2x2, testing::integers};

    fn at(image: &[f32], [h, w]: [usize; 2], channels: usize, row: isize, column: isize, c: usize) -> f32 {
        let inside = (0..h as isize).contains(&row) && (0..w as isize).contains(&column);
        if inside { image[(row as usize * w + column as usize) * channels + c] } else { 0.0 }
    }

    #[test]
    fn the_copy_is_the_image_with_zeros_around() {
        let channels = 3;
        for image_size in [[1, 1], [3, 5], [6, 4]] {
            let image = integers(image_size[0] * image_size[1] * channels, 1);
            for (top, left) in [(0, 0), (-2, -1), (-9, 3), (2, -9), (1, 2), (7, 0), (0, 2), (-1, 9)] {
                for (size, pixel) in [([2, 3], 3), ([9, 8], 3), ([4, 11], 5)] {
                    let frame = Frame { image: image_size, size, left, channels, pixel };
                    let mut to = vec![f32::NAN; frame.copy_len()];
                    frame.copy(&image, top, &mut to);
                    for (i, pixel) in to.chunks(pixel).enumerate() {
                        let (row, column) = ((i / size[1]) as isize, (i % size[1]) as isize);
                        for (c, &value) in pixel[..channels].iter().enumerate() {
                            assert_eq!(value, at(&image, image_size, channels, top + row, left + column, c));
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn an_unpooled_copy_is_a_copy_of_the_unpooled_image() {
        let channels = 2;
        for [h, w] in [[2, 2], [4, 6], [5, 7], [7, 4]] {
            let input = integers(h * w * channels, 1);
            let row = w * channels;
            let pooled = h / 2 * (w / 2) * channels;
            let (grad, mut taps) = (integers(pooled, 2), vec![0; pooled]);
            let mut dense = vec![0.0; h * row];
            for pair in 0..h / 2 {
                let range = pair * (w / 2) * channels..(pair + 1) * (w / 2) * channels;
                let (upper, lower) = (&input[2 * pair * row..][..row], &input[(2 * pair + 1) * row..][..row]);
                let mut out = vec![0.0; range.len()];
                pool2x2::max_pool_rows(w, channels, upper, lower, &mut out, &mut taps[range.clone()]);
                let (upper, lower) = dense[2 * pair * row..][..2 * row].split_at_mut(row);
                pool2x2::unpool_rows(w, channels, &grad[range.clone()], &taps[range], upper, lower);
            }
            for top in -3..4 {
                for height in 1..9 {
                    let frame = Frame { image: [h, w], size: [height, w + 3], left: -1, channels, pixel: channels };
                    let (mut got, mut expected) = (vec![f32::NAN; frame.copy_len()], vec![f32::NAN; frame.copy_len()]);
                    frame.copy(&dense, top, &mut expected);
                    frame.copy_unpooled(&grad, &taps, top, &mut got, &mut vec![f32::NAN; row]);
                    assert_eq!(got, expected, "{h} x {w} from row {top}, {height} rows");
                }
            }
        }
    }
}

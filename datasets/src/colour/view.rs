//! A set of pictures in a colour space: converted when a batch is drawn, so that the set stays bytes.

use super::ColourSpace;
use crate::{ImageShape, Images, Scaling};

/// Pictures as numbers of a colour space, made by [`Images::in_colour_space`].
///
/// ```
/// use patchgrad_datasets::{ColourSpace, ImageShape, Images, Scaling};
///
/// let red_and_grey = vec![255, 0, 0, 128, 128, 128];
/// let images = Images::new(ImageShape { height: 1, width: 2, channels: 3 }, red_and_grey);
/// let space: ColourSpace = "cmyk".parse()?;
/// let view = images.in_colour_space(space)?;
/// assert_eq!(view.shape().to_string(), "1x2x4");
///
/// let mut batch = vec![0.0; view.shape().size()];
/// view.gather(&[0], Scaling::ZeroToOne, &mut batch);
/// assert_eq!(batch[..4], [0.0, 1.0, 1.0, 0.0]);
/// assert_eq!(view.decode(&batch, Scaling::ZeroToOne), images);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct InColourSpace<'a> {
    images: &'a Images,
    space: ColourSpace,
}

/// Pictures that a colour space cannot be made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "pictures of {channels} channel(s) have no {space}: a colour space is made of red, green and blue; \
     {}", if *.channels == 1 { "grey pictures fit grayscale alone" } else { "read them as colour or grey pictures" }
)]
pub struct NoColours {
    /// The space asked for.
    pub space: ColourSpace,
    /// Numbers for each pixel.
    pub channels: usize,
}

impl Images {
    /// These pictures as numbers of `space`. Colour pictures have every space; grey ones only
    /// [`Grayscale`](ColourSpace::Grayscale), in which they stay what they are.
    ///
    /// # Errors
    ///
    /// When the pictures have neither three channels nor, for `Grayscale`, one.
    pub fn in_colour_space(&self, space: ColourSpace) -> Result<InColourSpace<'_>, NoColours> {
        match (self.shape().channels, space) {
            (3, _) | (1, ColourSpace::Grayscale) => Ok(InColourSpace { images: self, space }),
            (channels, _) => Err(NoColours { space, channels }),
        }
    }
}

impl InColourSpace<'_> {
    /// The space.
    pub fn space(&self) -> ColourSpace {
        self.space
    }

    /// Shape of each picture: the channels are those of the space.
    pub fn shape(&self) -> ImageShape {
        ImageShape { channels: self.space.channels(), ..self.images.shape() }
    }

    /// Number of pictures.
    pub fn count(&self) -> usize {
        self.images.count()
    }

    /// Converts the pictures `indices` into `batch`, [N, H, W, C], each channel scaled from its
    /// [range](ColourSpace::ranges) to that of `scaling`: what [`Images::gather`] does for RGB.
    ///
    /// # Panics
    ///
    /// If there is no such picture, or `batch` does not hold exactly `indices.len()` pictures of [`shape`](Self::shape).
    pub fn gather(&self, indices: &[usize], scaling: Scaling, batch: &mut [f32]) {
        let size = self.shape().size();
        assert_eq!(
            batch.len(),
            indices.len() * size,
            "gather: {} pictures of {} ({}) need {} values",
            indices.len(),
            self.shape(),
            self.space,
            indices.len() * size
        );
        for (&index, values) in indices.iter().zip(batch.chunks_exact_mut(size)) {
            let bytes = self.images.image(index);
            if self.is_grey() {
                scaling.apply(bytes, values);
            } else {
                self.space.encode(bytes, scaling, values);
            }
        }
    }

    /// The way back: numbers of the space, [N, H, W, C], such as a network's reconstructions, as pictures of the shape
    /// of the set. What is out of range is clamped.
    ///
    /// Every [gathered](Self::gather) batch of a space that [has an inverse](ColourSpace::has_inverse) comes back
    /// unchanged, and so does one of grey pictures. Of colour pictures in `Grayscale` only the grey comes back, as three
    /// equal channels.
    ///
    /// # Panics
    ///
    /// If `values` are no whole number of pictures of [`shape`](Self::shape).
    pub fn decode(&self, values: &[f32], scaling: Scaling) -> Images {
        let (size, stored) = (self.shape().size(), self.images.shape());
        assert!(
            values.len().is_multiple_of(size),
            "decode: {} values are no whole number of pictures of {} ({})",
            values.len(),
            self.shape(),
            self.space
        );
        let mut pixels = vec![0; values.len() / size * stored.size()];
        if self.is_grey() {
            pixels.iter_mut().zip(values).for_each(|(byte, &value)| *byte = scaling.to_byte(value));
        } else {
            self.space.decode(values, scaling, &mut pixels);
        }
        Images::new(stored, pixels)
    }

    /// Whether the pictures are stored in grey.
    fn is_grey(&self) -> bool {
        self.images.shape().channels == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn images(channels: usize) -> Images {
        let shape = ImageShape { height: 5, width: 7, channels };
        Images::new(shape, (0..4 * shape.size()).map(|i| (i * 89 % 256) as u8).collect())
    }

    #[test]
    fn a_gathered_batch_comes_back_in_every_space_with_an_inverse() {
        let images = images(3);
        for space in ColourSpace::ALL {
            let view = images.in_colour_space(space).unwrap();
            assert_eq!((view.space(), view.count(), view.shape().channels), (space, 4, space.channels()));
            for scaling in [Scaling::MinusOneToOne, Scaling::ZeroToOne] {
                let mut batch = vec![f32::NAN; 2 * view.shape().size()];
                view.gather(&[3, 1], scaling, &mut batch);
                let back = view.decode(&batch, scaling);
                assert_eq!(back.shape(), images.shape());
                assert_eq!(back == images.select(&[3, 1]), space.has_inverse(), "{space} {scaling:?}");
            }
        }
    }

    #[test]
    fn rgb_is_what_is_gathered_without_a_space() {
        let images = images(3);
        let (mut plain, mut rgb) = (vec![0.0; 105], vec![1.0; 105]);
        images.gather(&[2], Scaling::MinusOneToOne, &mut plain);
        images.in_colour_space(ColourSpace::Rgb).unwrap().gather(&[2], Scaling::MinusOneToOne, &mut rgb);
        assert!(plain.iter().zip(&rgb).all(|(a, b)| (a - b).abs() < 1e-6));
    }

    #[test]
    fn grey_pictures_stay_grey() {
        let images = images(1);
        let view = images.in_colour_space(ColourSpace::Grayscale).unwrap();
        let mut batch = vec![0.0; 35];
        view.gather(&[1], Scaling::ZeroToOne, &mut batch);
        assert_eq!(view.decode(&batch, Scaling::ZeroToOne), images.select(&[1]));
        // Of colours only the mean comes back.
        let colours = Images::new(ImageShape { height: 1, width: 1, channels: 3 }, vec![10, 20, 60]);
        let view = colours.in_colour_space(ColourSpace::Grayscale).unwrap();
        let mut grey = [0.0];
        view.gather(&[0], Scaling::ZeroToOne, &mut grey);
        assert_eq!(view.decode(&grey, Scaling::ZeroToOne).pixels(), [30; 3]);
    }

    #[test]
    fn pictures_without_colours_are_refused_with_what_would_fit() {
        let error = images(1).in_colour_space(ColourSpace::Hsv).unwrap_err();
        assert_eq!(error, NoColours { space: ColourSpace::Hsv, channels: 1 });
        assert!(error.to_string().ends_with("grey pictures fit grayscale alone"), "{error}");
        let error = images(2).in_colour_space(ColourSpace::Grayscale).unwrap_err().to_string();
        assert!(error.starts_with("pictures of 2 channel(s) have no grayscale"), "{error}");
    }

    #[test]
    #[should_panic(expected = "gather: 1 pictures of 5x7x4 (cmyk) need 140 values")]
    fn a_batch_of_the_wrong_size_is_refused() {
        images(3).in_colour_space(ColourSpace::Cmyk).unwrap().gather(&[0], Scaling::ZeroToOne, &mut [0.0; 105]);
    }
}

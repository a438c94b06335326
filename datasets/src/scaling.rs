//! Between stored bytes and the numbers a network sees.

/// How a byte c becomes a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scaling {
    /// 2 c / 255 - 1, in [-1, 1]: the scaling of arXiv 1703.04332.
    MinusOneToOne,
    /// c / 255, in [0, 1].
    ZeroToOne,
}

impl Scaling {
    /// The number that byte `value` stands for, correctly rounded.
    pub fn to_f32(self, value: u8) -> f32 {
        match self {
            // 2c/255 - 1 = (2c - 255)/255: the numerator is exact, so only the division rounds.
            Scaling::MinusOneToOne => (2.0 * f32::from(value) - 255.0) / 255.0,
            Scaling::ZeroToOne => f32::from(value) / 255.0,
        }
    }

    /// The byte nearest to `value`, for showing a reconstruction; out of range is clamped, NaN becomes 0.
    pub fn to_byte(self, value: f32) -> u8 {
        // `as u8` saturates and sends NaN to 0.
        (self.to_unit(value) * 255.0).round() as u8
    }

    /// From this scaling's range to [0, 1].
    pub fn to_unit(self, value: f32) -> f32 {
        match self {
            Scaling::MinusOneToOne => (value + 1.0) / 2.0,
            Scaling::ZeroToOne => value,
        }
    }

    /// From [0, 1] to this scaling's range.
    pub fn from_unit(self, unit: f32) -> f32 {
        match self {
            Scaling::MinusOneToOne => 2.0 * unit - 1.0,
            Scaling::ZeroToOne => unit,
        }
    }

    /// Scales `bytes` into `values`.
    ///
    /// # Panics
    ///
    /// If the lengths differ.
    pub fn apply(self, bytes: &[u8], values: &mut [f32]) {
        assert_eq!(bytes.len(), values.len(), "scaling: as many values as bytes are needed");
        for (value, &byte) in values.iter_mut().zip(bytes) {
            *value = self.to_f32(byte);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scaling_hits_the_ends_is_symmetric_and_inverts() {
        assert_eq!(Scaling::MinusOneToOne.to_f32(0), -1.0);
        assert_eq!(Scaling::MinusOneToOne.to_f32(255), 1.0);
        assert_eq!(Scaling::ZeroToOne.to_f32(0), 0.0);
        assert_eq!(Scaling::ZeroToOne.to_f32(255), 1.0);
        for byte in 0..=255u8 {
            let exact = 2.0 * f64::from(byte) / 255.0 - 1.0;
            assert_eq!(Scaling::MinusOneToOne.to_f32(byte), exact as f32);
            assert_eq!(Scaling::MinusOneToOne.to_f32(byte), -Scaling::MinusOneToOne.to_f32(255 - byte));
            for scaling in [Scaling::MinusOneToOne, Scaling::ZeroToOne] {
                assert_eq!(scaling.to_byte(scaling.to_f32(byte)), byte);
            }
        }
    }

    #[test]
    fn bytes_for_display_are_clamped() {
        assert_eq!(Scaling::MinusOneToOne.to_byte(-3.0), 0);
        assert_eq!(Scaling::MinusOneToOne.to_byte(3.0), 255);
        assert_eq!(Scaling::ZeroToOne.to_byte(f32::NAN), 0);
    }
}

//! Convolutions whose options nobody chose: values and gradients equal the definitions, by every algorithm.

use crate::{
    cases::{Conv2dCase, ConvTranspose2dCase, Convolution, Size},
    exact::check_convolution,
};
use patchgrad::ops::{Conv2dSpec, ConvTranspose2dSpec};
use proptest::{prelude::*, test_runner::RngSeed};

/// Batch, height and width.
fn images() -> impl Strategy<Value = [usize; 3]> {
    [1..3usize, 1..7usize, 1..7usize]
}

/// Groups, and channels of each on both sides.
fn channels() -> impl Strategy<Value = [usize; 3]> {
    [1..4usize, 1..4usize, 1..4usize]
}

fn pair(range: std::ops::Range<usize>) -> impl Strategy<Value = [usize; 2]> {
    [range.clone(), range]
}

/// Kernel, stride, padding and dilation; larger than useful, for that is where edges are.
fn options() -> impl Strategy<Value = [[usize; 2]; 4]> {
    (pair(1..4), pair(1..4), pair(0..5), pair(1..8))
        .prop_map(|(kernel, stride, padding, dilation)| [kernel, stride, padding, dilation])
}

fn config() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(1),
        max_global_rejects: 20_000,
        ..ProptestConfig::with_cases(400)
    }
}

/// No tap meets a pixel, and the nearest ones lie farther beyond the image than it is wide.
#[test]
fn taps_far_beyond_a_narrow_image_meet_nothing() {
    let (input, size, bias) = ([2, 1, 1, 3], Size::Small, true);
    let plain = Conv2dSpec { stride: [1, 2], padding: [0, 4], dilation: [1, 7], ..Conv2dSpec::new([1, 2]) };
    let transposed = ConvTranspose2dSpec {
        padding: [0, 2],
        dilation: [1, 5],
        output_padding: [0, 4],
        ..ConvTranspose2dSpec::new([1, 1])
    };
    let plain = Conv2dCase { name: "plain", input, out_channels: 2, spec: plain, bias, size };
    let transposed = ConvTranspose2dCase { name: "transposed", input, out_channels: 2, spec: transposed, bias, size };
    check_convolution(Convolution::Plain(plain));
    check_convolution(Convolution::Transposed(transposed));
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn drawn_convolutions_equal_their_definition(
        [n, h, w] in images(), [groups, c, o] in channels(), [kernel, stride, padding, dilation] in options(),
    ) {
        let case = Conv2dCase {
            name: "drawn",
            input: [n, h, w, groups * c],
            out_channels: groups * o,
            spec: Conv2dSpec { stride, padding, dilation, groups, ..Conv2dSpec::new(kernel) },
            bias: true,
            size: Size::Small,
        };
        let shapes = case.shapes();
        prop_assume!(case.spec.resolve(shapes[0], shapes[1], None).is_ok());
        check_convolution(Convolution::Plain(case));
    }

    #[test]
    fn drawn_transposed_convolutions_equal_their_definition(
        [n, h, w] in images(), [groups, c, o] in channels(), [kernel, stride, padding, dilation] in options(),
        output_padding in pair(0..7),
    ) {
        let case = ConvTranspose2dCase {
            name: "drawn",
            input: [n, h, w, groups * c],
            out_channels: groups * o,
            spec: ConvTranspose2dSpec {
                stride, padding, dilation, groups, output_padding, ..ConvTranspose2dSpec::new(kernel)
            },
            bias: true,
            size: Size::Small,
        };
        let shapes = case.shapes();
        prop_assume!(case.spec.resolve(shapes[0], shapes[1], None).is_ok());
        check_convolution(Convolution::Transposed(case));
    }
}

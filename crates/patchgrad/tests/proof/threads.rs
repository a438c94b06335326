//! The number of threads changes no bit.

use crate::{
    cases,
    network::{Batch, Network},
    run::run,
    tally::Tally,
    values::{Draw, bits},
};
use patchgrad::parallel;

/// What `job` gives on one thread without handing anything out, and whether 1, 2 and 8 threads give the same.
fn on_every_number_of_threads<T: PartialEq + Send>(job: impl Fn() -> T + Sync) -> (T, [bool; 3]) {
    let alone = parallel::sequential(&job);
    let same = [1, 2, 8].map(|threads| parallel::with_threads(threads, &job) == alone);
    (alone, same)
}

#[test]
fn every_op_gives_the_same_bits_on_1_2_and_8_threads() {
    let cases = cases::all();
    let mut tally = Tally::default();
    for case in &cases {
        let (_, same) = on_every_number_of_threads(|| {
            run(&case.inputs(), |shape| Draw::Normal.tensor(shape, "cotangent", 0), |tape, v| case.record(tape, v))
                .bits()
        });
        assert_eq!(same, [true; 3], "{} on 1, 2, 8 threads", case.label());
        tally.add(case.op, 1);
    }
    tally.finish("cases with the same bits on 1, 2 and 8 threads", 26, 244);
}

/// 64 images of 16 x 16 pixels are 8 blocks of the first convolution and 6 chunks of its activation.
#[test]
fn training_gives_the_same_bits_on_1_2_and_8_threads() {
    let train = || {
        let (mut network, batch) = (Network::new(16), Batch::new(64, 16));
        let losses: Vec<f32> = (0..5).map(|_| network.step(&batch)).collect();
        let params: Vec<u32> = network.params.iter().flat_map(|(_, _, tensor)| bits(tensor.as_slice())).collect();
        (bits(&losses), params, losses)
    };
    let ((_, params, losses), same) = on_every_number_of_threads(train);
    assert_eq!(same, [true; 3], "five steps on 1, 2, 8 threads");
    assert!(losses[4] < losses[0], "the network learns: {losses:?}");
    println!("five steps of Adam: {} parameters with the same bits on 1, 2 and 8 threads", params.len());
}

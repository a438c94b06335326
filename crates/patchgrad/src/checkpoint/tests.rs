use super::*;
use crate::{
    Params, Tape, Tensor, Workspace,
    layers::{Conv2d, ConvTranspose2d, Layer, Linear, Sequential},
    ops::{Activation, Conv2dSpec, ConvTranspose2dSpec},
    optim::{Adam, AdamConfig, Optimizer},
    random::stream,
};
use rand::RngExt;

/// A small auto-encoder, with one layer that its loss does not reach.
fn network(seed: u64) -> (Params, Sequential) {
    let (mut params, mut init) = (Params::new(), stream(seed, "init", 0));
    let (p, s) = (&mut params, &mut init);
    let down = Conv2dSpec { stride: [2, 2], ..Conv2dSpec::new([2, 2]) };
    let up = ConvTranspose2dSpec { stride: [2, 2], ..ConvTranspose2dSpec::new([2, 2]) };
    let layers = Sequential::new()
        .then(Conv2d::new(p, "encoder", [2, 3], down, s).activation(Activation::Tanh))
        .then(ConvTranspose2d::new(p, "decoder", [3, 2], up, s));
    Linear::new(p, "head", [4, 5], s);
    (params, layers)
}

fn train(params: &mut Params, layers: &Sequential, optimizer: &mut dyn Optimizer, steps: usize) {
    let mut workspace = Workspace::new();
    let x = Tensor::from_fn([3, 4, 4, 2], |i| (i as f32 * 0.37).sin());
    for _ in 0..steps {
        let mut tape = Tape::with_params(params, &mut workspace);
        let input = tape.input(&x);
        let output = layers.forward(&mut tape, input);
        let loss = tape.mse_loss(output, input);
        let gradients = tape.backward(loss);
        optimizer.step(params, &gradients);
    }
}

/// A checkpoint with everything in it.
fn example() -> (Params, Adam, Checkpoint) {
    let (mut params, layers) = network(1);
    let mut optimizer = Adam::new(AdamConfig::adamw(0.01));
    train(&mut params, &layers, &mut optimizer, 3);
    let mut checkpoint = Checkpoint::new();
    checkpoint.put_params("", &params);
    checkpoint.put_params("best.", &network(2).0);
    checkpoint.put_optimizer(&optimizer, &params);
    checkpoint.put_stream("patches", &stream(3, "patches", 1));
    checkpoint.put_indices("order", &[2, 0, 1]);
    checkpoint.set("config", "name = \"tiny\"\npath = 'C:\\data'\n\t\u{1}\u{7f}é\u{2028}");
    checkpoint.set("best_loss", 0.1 + 0.2);
    checkpoint.set_list("losses", &[1.5, f64::MIN_POSITIVE, 1e300]);
    (params, optimizer, checkpoint)
}

/// Loads all of [`example`]'s file.
fn load(bytes: &[u8]) -> Result<(Params, Params, Adam), CheckpointError> {
    let (mut params, mut best, mut optimizer) = (network(5).0, network(5).0, Adam::new(AdamConfig::new(0.5)));
    let mut checkpoint = Checkpoint::from_bytes(bytes)?;
    checkpoint.check_version()?;
    checkpoint.take_params("", &mut params)?;
    checkpoint.take_params("best.", &mut best)?;
    checkpoint.take_optimizer(&mut optimizer, &params)?;
    checkpoint.get_stream("patches")?;
    checkpoint.take_indices("order")?;
    checkpoint.get_list::<f64>("losses")?;
    checkpoint.get::<f64>("best_loss")?;
    checkpoint.finish()?;
    Ok((params, best, optimizer))
}

#[track_caller]
fn assert_same(a: &Params, b: &Params) {
    assert_eq!(a.len(), b.len());
    for (id, name, tensor) in a.iter() {
        assert_eq!(tensor, b.get(id), "{name}");
    }
}

#[test]
fn everything_comes_back_and_the_training_goes_on_bit_for_bit() {
    let (mut params, mut optimizer, checkpoint) = example();
    let bytes = checkpoint.to_bytes();
    let (mut loaded, best, mut again) = load(&bytes).unwrap();
    assert_same(&loaded, &params);
    assert_same(&best, &network(2).0);
    let read = Checkpoint::from_bytes(&bytes).unwrap();
    assert_eq!(read.entries, checkpoint.entries);
    assert_eq!(read.get::<f64>("best_loss").unwrap(), 0.1 + 0.2);
    assert_eq!(read.get_list::<f64>("losses").unwrap(), [1.5, f64::MIN_POSITIVE, 1e300]);
    assert_eq!(read.clone().take_indices("order").unwrap(), [2, 0, 1]);
    assert_eq!(read.get_stream("patches").unwrap(), stream(3, "patches", 1));
    assert_eq!(read.to_bytes(), bytes);
    let layers = network(1).1;
    train(&mut params, &layers, &mut optimizer, 2);
    train(&mut loaded, &layers, &mut again, 2);
    assert_same(&loaded, &params);
}

#[test]
fn names_and_layouts_are_those_of_pytorch() {
    let (.., checkpoint) = example();
    let bytes = checkpoint.to_bytes();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let shape = |name: &str| file.tensor(name).unwrap().shape().to_vec();
    assert_eq!(shape("encoder.weight"), [3, 2, 2, 2]);
    assert_eq!(shape("decoder.weight"), [3, 2, 2, 2]);
    assert_eq!(shape("head.weight"), [5, 4]);
    assert_eq!(shape("optimizer.encoder.weight.exp_avg_sq"), [3, 2, 2, 2]);
    assert!(file.tensor("optimizer.head.weight.exp_avg").is_err(), "never stepped");
    let entries = ["format", "format_version", "optimizer.kind", "optimizer.lr", "optimizer.encoder.bias.step"];
    assert_eq!(entries.map(|key| checkpoint.entry(key).unwrap()), ["pt", "1", "adam", "0.01", "3"]);
}

#[test]
fn what_does_not_fit_is_named_and_nothing_is_changed() {
    let (.., good) = example();
    let edit = |change: &dyn Fn(&mut Checkpoint)| {
        let mut bad = good.clone();
        change(&mut bad);
        load(&bad.to_bytes()).map(|_| ()).unwrap_err().to_string()
    };
    fn values<'c>(checkpoint: &'c mut Checkpoint, name: &str) -> &'c mut Vec<f32> {
        match &mut checkpoint.tensors.get_mut(name).unwrap().data {
            Data::F32(values) => values,
            other => panic!("{other:?}"),
        }
    }
    let cases = [
        (edit(&|c| _ = c.tensors.remove("head.bias")), "tensor `head.bias` is missing"),
        (edit(&|c| c.put_indices("surplus", &[1])), "tensor `surplus` [1] is not part of this model"),
        (
            edit(&|c| c.put_indices("optimizer.nobody.exp_avg", &[1])),
            "tensor `optimizer.nobody.exp_avg` [1] is not part",
        ),
        (
            edit(&|c| c.tensors.get_mut("encoder.weight").unwrap().dims = vec![2, 3, 2, 2]),
            "tensor `encoder.weight` is [2, 3, 2, 2], expected [3, 2, 2, 2]",
        ),
        (edit(&|c| values(c, "head.weight")[7] = f32::NAN), "element 7 of tensor `head.weight` is NaN"),
        (edit(&|c| values(c, "best.head.bias")[0] = f32::INFINITY), "element 0 of tensor `best.head.bias` is inf"),
        (
            edit(&|c| values(c, "optimizer.decoder.bias.exp_avg")[1] = f32::NEG_INFINITY),
            "element 1 of tensor `optimizer.decoder.bias.exp_avg` is -inf",
        ),
        (
            edit(&|c| values(c, "optimizer.decoder.bias.exp_avg_sq")[1] = -1.0),
            "decoder.bias: element 1 of `exp_avg_sq` is negative",
        ),
        (edit(&|c| _ = c.tensors.remove("optimizer.decoder.bias.exp_avg")), "decoder.bias: `exp_avg` is missing"),
        (edit(&|c| c.set("format_version", 2)), "entry `format_version` of the metadata is `2`, expected 1"),
        (edit(&|c| _ = c.entries.remove("format_version")), "entry `format_version` of the metadata is missing"),
        (edit(&|c| c.set("optimizer.kind", "sgd")), "expected the state of `adam`, got that of `sgd`"),
        (
            edit(&|c| c.set("optimizer.lr", "fast")),
            "entry `optimizer.lr` of the metadata is `fast`, expected a value of type f64",
        ),
        (edit(&|c| c.set("random.patches", "?")), "entry `random.patches` of the metadata is `?`"),
        (edit(&|c| c.tensors.get_mut("order").unwrap().data = Data::F32(vec![0.0; 3])), "tensor `order` is F32 [3]"),
        (
            edit(&|c| c.tensors.get_mut("order").unwrap().data = Data::I32(vec![0, -5, 1])),
            "element 1 of tensor `order` is -5",
        ),
        (
            edit(&|c| c.tensors.get_mut("head.bias").unwrap().data = Data::I32(vec![0; 5])),
            "`head.bias` is I32, expected F32",
        ),
    ];
    for (error, expected) in cases {
        assert!(error.contains(expected), "{error}\nexpected {expected}");
    }
    let mut bad = good.clone();
    values(&mut bad, "head.weight")[7] = f32::NAN;
    let mut params = network(5).0;
    assert!(bad.take_params("", &mut params).is_err());
    assert_same(&params, &network(5).0);
}

#[test]
fn damaged_files_are_errors_and_need_little_memory() {
    let (.., checkpoint) = example();
    let good = checkpoint.to_bytes();
    let header = u64::from_le_bytes(*good.first_chunk().unwrap()) as usize;
    let (mut loaded, mut refused) = (0, 0);
    let mut check = |bytes: &[u8]| {
        let mut outcome = None;
        let heap = allocation_counter::measure(|| outcome = Some(load(bytes).map(|_| ())));
        let most = 64 * bytes.len().max(4_096) as u64;
        assert!(heap.bytes_max < most, "{} bytes of memory for a file of {}", heap.bytes_max, bytes.len());
        match outcome.unwrap() {
            Ok(()) => loaded += 1,
            Err(_) => refused += 1,
        }
    };
    // Cut anywhere in the header, at many places behind it; too long.
    for end in (0..8 + header).step_by(7).chain((8 + header..good.len()).step_by(61)) {
        check(&good[..end]);
    }
    check(&[&good[..], &[0]].concat());
    check(&good);
    // One byte of the header or the elements is another one: it may still be a file with other numbers.
    let mut random = stream(4, "mutations", 0);
    for _ in 0..2_000 {
        let mut bytes = good.clone();
        let at = random.random_range(0..(8 + header + 64) as u32) as usize;
        bytes[at] = random.random::<u32>() as u8;
        check(&bytes);
    }
    // Claimed sizes.
    for claim in [u64::MAX, 1 << 40, 99_999_999, header as u64 + 8, header as u64 - 8, 0] {
        let mut bytes = good.clone();
        bytes[..8].copy_from_slice(&claim.to_le_bytes());
        check(&bytes);
    }
    let file = |header: &str| [&(header.len() as u64).to_le_bytes(), header.as_bytes()].concat();
    let deep = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
    // Two bytes of text, and as much of a parsed value as the parser makes of them.
    check(&file(&format!(r#"{{"a":[0{}]}}"#, ",0".repeat(100_000))));
    check(&file(&format!("{{{}}}", r#""":"","#.repeat(20_000))));
    let hostile = [
        r#"{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}"#,
        r#"{"a":{"dtype":"F32","shape":[1,1,1,1,1,0],"data_offsets":[0,0]}}"#,
        r#"{"a":{"dtype":"F32","shape":[0,18446744073709551615,18446744073709551615],"data_offsets":[0,0]}}"#,
        r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[18446744073709551615,3]}}"#,
        r#"{"__metadata__":{"format_version":1}}"#,
        "[]",
        "null",
        "",
        &deep,
    ];
    for header in hostile {
        assert!(load(&file(header)).is_err(), "{header:.80}");
    }
    println!("{refused} damaged files refused, {loaded} loaded with other numbers");
    assert!(refused > 1_000 && loaded > 0, "{refused} {loaded}");
}

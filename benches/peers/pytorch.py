"""Times PyTorch on the workloads of ../workloads.json: one JSON object a line, as `pitfall bench --json` prints them.

    python pytorch.py [--threads N] [--only SUBSTRING] [--seconds S] [--modes eager,channels_last,compile]

Shapes in the file are [H, W, C]; PyTorch gets the same sizes as (N, C, H, W). A mode is how: `eager` in its default memory
format, `channels_last` in the other one, `compile` through torch.compile (training steps only; needs a C++ compiler).

A row is one pass over a batch: the median after three runs of warm-up, of at least seven runs and S seconds (a training
step: 4 S). FLOP are two for each multiply-add of the definition; a training step counts its forward convolutions three
times. The forward pass of a convolution adds a bias, and the gradient of the weight comes with that of the bias.
"""

import argparse
import json
import statistics
import time
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

WORKLOADS = json.loads((Path(__file__).parent.parent / "workloads.json").read_text())
MODES = ["eager", "channels_last", "compile"]
WARM_UPS = 3
LEAST_RUNS = 7


class Case:
    """One row to measure: `run` is one pass over `images` images and `flop` operations."""

    def __init__(self, workload, run, images, flop=None, patience=1):
        self.workload, self.run, self.images, self.flop, self.patience = workload, run, images, flop, patience

    def row(self, mode, threads, seconds):
        median = median_seconds(self.run, seconds * self.patience)
        return {
            "workload": self.workload,
            "peer": f"pytorch {torch.__version__}",
            "mode": mode,
            "threads": threads,
            "median_ms": 1e3 * median,
            "gflop_per_s": self.flop and self.flop / median / 1e9,
            "images_per_s": self.images / median,
        }


def median_seconds(run, seconds):
    for _ in range(WARM_UPS):
        run()
    times = []
    start = time.perf_counter()
    while len(times) < LEAST_RUNS or time.perf_counter() - start < seconds:
        before = time.perf_counter()
        run()
        times.append(time.perf_counter() - before)
    return statistics.median_high(times)


def images(shape, mode, make=torch.randn):
    height, width, channels = shape["in"]
    return in_format(make(shape["batch"], channels, height, width), mode)


def in_format(tensor, mode):
    return tensor.contiguous(memory_format=torch.channels_last) if mode == "channels_last" else tensor


def convolution(op, name, shape, mode):
    if mode == "compile":
        return []
    transposed = op == "conv_transpose2d"
    forward_op = functional.conv_transpose2d if transposed else functional.conv2d
    inner, outer = shape["in"][2], shape["out_channels"]
    taps = [shape["kernel"]] * 2
    stride, padding = [shape["stride"]] * 2, [shape["padding"]] * 2
    x, bias = images(shape, mode), torch.randn(outer)
    weight = in_format(torch.randn(*([inner, outer] if transposed else [outer, inner]), *taps), mode)
    y = forward_op(x, weight, bias, stride, padding)
    grad_output = torch.randn_like(y)
    # Every input pixel of a transposed convolution, every output pixel of a convolution, meets every tap once.
    pixels = (x if transposed else y)[:, 0].numel()
    flop = 2 * pixels * inner * outer * taps[0] * taps[1]

    def backward(input_wanted, weight_wanted, bias_wanted):
        wanted = [input_wanted, weight_wanted, bias_wanted]
        return torch.ops.aten.convolution_backward(
            grad_output, x, weight, [outer], stride, padding, [1, 1], transposed, [0, 0], 1, wanted
        )

    passes = {
        "forward": lambda: forward_op(x, weight, bias, stride, padding),
        "grad_input": lambda: backward(True, False, False),
        "grad_weight": lambda: backward(False, True, True),
    }
    return [Case(f"{op}/{name}/{key}", run, shape["batch"], flop) for key, run in passes.items()]


def max_pooling(op, name, shape, mode):
    if mode == "compile":
        return []
    window = [shape["kernel"]] * 2, [shape["stride"]] * 2, [0, 0], [1, 1], False
    x = images(shape, mode)
    y, indices = torch.ops.aten.max_pool2d_with_indices(x, *window)
    grad_output = torch.randn_like(y)
    passes = {
        "forward": lambda: functional.max_pool2d(x, *window),
        "grad_input": lambda: torch.ops.aten.max_pool2d_with_indices_backward(grad_output, x, *window, indices),
    }
    return [Case(f"{op}/{name}/{key}", run, shape["batch"]) for key, run in passes.items()]


def auto_encoder(channels, widths):
    """Conv 3x3, ReLU, max-pool 2x2 for each width; transposed conv 2x2 stride 2 back, ReLU between, sigmoid at the end."""
    widths = [channels, *widths]
    steps = list(zip(widths, widths[1:]))
    layers = []
    for narrow, wide in steps:
        layers += [nn.Conv2d(narrow, wide, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
    for narrow, wide in reversed(steps):
        layers += [nn.ConvTranspose2d(wide, narrow, 2, stride=2), nn.ReLU()]
    layers[-1] = nn.Sigmoid()
    return nn.Sequential(*layers)


def training_flop(shape):
    """Two for each multiply-add of the forward convolutions, times three."""
    height, width, channels = shape["in"]
    pixels, total = shape["batch"] * height * width, 0
    for inner, outer in zip([channels, *shape["encoder"]], shape["encoder"]):
        total += pixels * inner * outer * 9  # the convolution at full size
        pixels //= 4
        total += pixels * inner * outer * 4  # the transposed one, from the pooled size back
    return 3 * 2 * total


def training_step(op, name, shape, mode):
    model = auto_encoder(shape["in"][2], shape["encoder"])
    if mode == "channels_last":
        model = model.to(memory_format=torch.channels_last)
    x = images(shape, mode, torch.rand)
    network = torch.compile(model) if mode == "compile" else model
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)

    def run():
        optimizer.zero_grad(set_to_none=True)
        functional.mse_loss(network(x), x).backward()
        optimizer.step()

    return [Case(f"{op}/{name}", run, shape["batch"], training_flop(shape), patience=4)]


MAKERS = {
    "conv2d": convolution,
    "conv_transpose2d": convolution,
    "max_pool2d": max_pooling,
    "train_step": training_step,
}


def names(op, name):
    """The workloads of one shape."""
    passes = {"max_pool2d": ["/forward", "/grad_input"], "train_step": [""]}
    return [f"{op}/{name}{key}" for key in passes.get(op, ["/forward", "/grad_input", "/grad_weight"])]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--only", default="", metavar="SUBSTRING")
    parser.add_argument("--seconds", type=float, default=0.5)
    parser.add_argument("--modes", default="eager,channels_last", help=f"some of {','.join(MODES)}")
    args = parser.parse_args()
    modes = args.modes.split(",")
    if unknown := sorted(set(modes) - set(MODES)):
        parser.error(f"unknown modes: {', '.join(unknown)}; there are {', '.join(MODES)}")
    every = [name for op, shapes in WORKLOADS.items() for shape in shapes for name in names(op, shape)]
    if not any(args.only in name for name in every):
        parser.error(f"no workload's name contains {args.only!r}; the names are {', '.join(every)}")

    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    for op, shapes in WORKLOADS.items():
        for name, shape in shapes.items():
            wanted = {workload for workload in names(op, name) if args.only in workload}
            for mode in modes if wanted else []:
                with torch.set_grad_enabled(op == "train_step"):
                    for case in MAKERS[op](op, name, shape, mode):
                        if case.workload in wanted:
                            print(json.dumps(case.row(mode, args.threads, args.seconds)), flush=True)


if __name__ == "__main__":
    main()

"""Rebuilds in PyTorch the networks that the example `save_checkpoint` trained, and compares what they compute.

    cargo run --package pitfall --example save_checkpoint -- FOLDER
    python experiments/examples/load_checkpoint.py FOLDER

The checkpoints have PyTorch's names and layouts: the auto-encoder loads with `load_state_dict`, the moments of Adam are
those of `torch.optim.Adam`, and a layer of the SCAE is a convolution and a transposed one.
"""

import sys
import tomllib
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors import safe_open
from safetensors.torch import load_file
from torch import nn

TOLERANCE = 1e-5


def metadata(path):
    with safe_open(path, "pt") as file:
        return file.metadata()


def model(state, prefix=""):
    """The parameters alone: without the optimiser's moments, the best parameters so far, and the order of the data."""
    chosen = {name.removeprefix(prefix): tensor for name, tensor in state.items() if name.startswith(prefix)}
    return {name: tensor for name, tensor in chosen.items() if not name.startswith(("optimizer.", "best.", "order"))}


class Scae:
    """Soft-sign encoders, linear decoders; where decoded patches overlap, their mean."""

    def __init__(self, path):
        self.state = load_file(path)
        self.layers = tomllib.loads(metadata(path)["config"])["layer"]

    def encode(self, x):
        for i, layer in enumerate(self.layers):
            weight, bias = self.state[f"layer{i}.encoder.weight"], self.state[f"layer{i}.encoder.bias"]
            x = F.softsign(F.conv2d(x, weight, bias, stride=layer["offset"]))
        return x

    def decode(self, code):
        for i, layer in reversed(list(enumerate(self.layers))):
            weight, bias = self.state[f"layer{i}.decoder.weight"], self.state[f"layer{i}.decoder.bias"]
            offset = layer["offset"]
            # Each position pastes its patch and the bias of the patch; how many patches cover a pixel divides.
            ones = torch.ones_like(code[:, :1])
            total = F.conv_transpose2d(code, weight, stride=offset) + F.conv_transpose2d(ones, bias[None], stride=offset)
            code = total / F.conv_transpose2d(ones, torch.ones_like(bias[None]), stride=offset)
        return code


class Cae(nn.Module):
    def __init__(self, state):
        super().__init__()
        shapes = {name: tensor.shape for name, tensor in state.items()}
        (first, channels, *_), (second, *_) = shapes["encoder.0.weight"], shapes["encoder.1.weight"]
        code, _, *rest = shapes["encoder.2.weight"]
        self.encoder = nn.ModuleList(
            [nn.Conv2d(channels, first, 3, padding=1), nn.Conv2d(first, second, 3, padding=1), nn.Conv2d(second, code, rest)]
        )
        self.decoder = nn.ModuleList(
            [
                nn.ConvTranspose2d(code, second, rest),
                nn.ConvTranspose2d(second, first, 2, stride=2),
                nn.ConvTranspose2d(first, channels, 2, stride=2),
            ]
        )
        self.load_state_dict(state, strict=True)

    def encode(self, x):
        for conv in self.encoder[:2]:
            x = F.max_pool2d(F.relu(conv(x)), 2)
        return self.encoder[2](x)

    def decode(self, x):
        for transposed in self.decoder[:2]:
            x = F.relu(transposed(x))
        return self.decoder[2](x)


def adam(network, path):
    """`torch.optim.Adam` where the checkpoint's optimiser stood."""
    facts, state = metadata(path), load_file(path)
    number = lambda name: float(facts[f"optimizer.{name}"])
    optimizer = torch.optim.Adam(
        network.parameters(), lr=number("lr"), betas=(number("beta1"), number("beta2")), eps=number("eps"),
        weight_decay=number("weight_decay"),
    )
    for name, parameter in network.named_parameters():
        moments = {moment: state[f"optimizer.{name}.{moment}"] for moment in ("exp_avg", "exp_avg_sq")}
        assert all(tensor.shape == parameter.shape for tensor in moments.values())
        optimizer.state[parameter] = {"step": torch.tensor(number(f"{name}.step")), **moments}
    return optimizer


def compare(what, got, expected):
    """`got` is (N, C, H, W); the expected values are (N, H, W, C)."""
    difference = (got.permute(0, 2, 3, 1) - expected).abs().max().item()
    print(f"{what}: {tuple(got.shape)}, largest difference {difference:.1e}")
    assert difference <= TOLERANCE, f"more than {TOLERANCE}"


folder = Path(sys.argv[1])
expected = load_file(folder / "expected.safetensors")
pictures = expected["pictures"].permute(0, 3, 1, 2).contiguous()
with torch.no_grad():
    scae = Scae(folder / "scae.safetensors")
    code = scae.encode(pictures)
    compare("code of the SCAE", code, expected["scae.code"])
    compare("its reconstruction", scae.decode(code), expected["scae.reconstruction"])
    cae = Cae(model(load_file(folder / "cae.safetensors"), "best."))
    code = cae.encode(pictures)
    compare("code of the auto-encoder", code, expected["cae.code"])
    compare("its reconstruction", cae.decode(code), expected["cae.reconstruction"])
last = Cae(model(load_file(folder / "cae.safetensors")))
optimizer = adam(last, folder / "cae.safetensors")
loss = F.mse_loss(last.decode(last.encode(pictures)), pictures)
loss.backward()
optimizer.step()
after = F.mse_loss(last.decode(last.encode(pictures)), pictures).item()
print(f"one more step of Adam: loss {loss.item():.5f} to {after:.5f}")
assert after < loss.item()

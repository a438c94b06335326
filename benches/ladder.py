"""Measures every algorithm on every convolution of the list, and writes the table of docs/convolution.md.

    cargo build --release
    python benches/ladder.py --write docs/convolution.md

Rates of one core in GFLOP/s, the best of `--rounds` runs of `pitfall bench --seconds S --algorithm NAME`. A cell stays empty
where an algorithm does not cover the shape.
"""

import argparse
import json
import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PITFALL = ROOT / "target" / "release" / "pitfall"
BEGIN, END = "<!-- ladder:begin -->", "<!-- ladder:end -->"
COLUMNS = [
    ("im2col + gemm", "im2col", None),
    ("direct", "direct", None),
    ("Winograd", "winograd", None),
    ("direct, AVX2", "direct", "avx2"),
    ("Winograd, AVX2", "winograd", "avx2"),
    ("`Auto`", "auto", None),
]


def rates(args, algorithm, isa):
    """The best rate of each workload, and the algorithm that ran."""
    best = {}
    environment = dict(os.environ) | ({"PATCHGRAD_ISA": isa} if isa else {})
    for _ in range(args.rounds):
        command = [args.pitfall, "bench", "--json", "--only", "conv", "--seconds", str(args.seconds)]
        output = subprocess.run(
            [*command, "--algorithm", algorithm], env=environment, check=True, capture_output=True, text=True
        ).stdout
        for line in output.splitlines():
            row = json.loads(line)
            rate, ran = row["gflop_per_s"], row["algorithm"]
            if rate > best.get(row["workload"], (0.0, ""))[0]:
                best[row["workload"]] = (rate, ran)
    return best


def table(args):
    measured = [(name, algorithm, rates(args, algorithm, isa)) for name, algorithm, isa in COLUMNS]
    lines = ["| shape | pass | " + " | ".join(name for name, _, _ in measured) + " |"]
    lines.append("|---|---|" + "---:|" * (len(measured) - 1) + "---|")
    shape_before = None
    for workload in sorted(measured[0][2]):
        shape, direction = workload.rsplit("/", 1)
        cells = []
        for _, algorithm, best in measured:
            rate, ran = best.get(workload, (0.0, ""))
            if algorithm == "auto":
                cells.append({"winograd": "Winograd"}.get(ran, ran))
            else:
                # What does not cover a shape is left to another algorithm.
                cells.append(f"{rate:.0f}" if ran == algorithm else "")
        first = f"`{shape}`" if shape != shape_before else ""
        lines.append(f"| {first} | {direction} | " + " | ".join(cells) + " |")
        shape_before = shape
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pitfall", default=PITFALL, metavar="PATH", help="the binary (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each algorithm (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=0.3, help="for each workload (default: %(default)s)")
    parser.add_argument("--write", metavar="FILE", help="replace the table between its marks in this file")
    args = parser.parse_args()
    text = table(args)
    if not args.write:
        print(text)
        return
    file = Path(args.write)
    before, rest = file.read_text().split(BEGIN)
    _, after = rest.split(END)
    file.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}")


main()

"""Times `pitfall bench` and PyTorch in turns and puts them side by side, as Markdown.

    cargo build --release
    python compare.py [--threads 1,2] [--rounds R] [--seconds S] [--only SUBSTRING] [--write README.md]

Run it with the Python that has torch. For every shape of ../workloads.json both run one after the other, and every other
round in the opposite order, so that what else the machine does meets both alike. A time in the table is the median over
the rounds of each round's median, and PyTorch's is that of its fastest mode for that workload.
"""

import argparse
import json
import math
import os
import platform
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
PITFALL = HERE.parent.parent / "target" / "release" / "pitfall"
BEGIN, END = "<!-- table:begin -->", "<!-- table:end -->"


def lines(command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()


def measure(args, threads, log):
    """The rows that both printed for the workloads of `--only`."""
    names = lines([args.pitfall, "bench", "--list", "--only", args.only])
    shapes = dict.fromkeys("/".join(name.split("/")[:2]) for name in names)
    programs = [[args.pitfall, "bench", "--json"], [sys.executable, HERE / "pytorch.py", "--modes", args.modes]]
    rows = []
    for done in range(args.rounds):
        for shape in shapes:
            print(f"threads {threads}, round {done + 1} of {args.rounds}: {shape}", file=sys.stderr, flush=True)
            for program in programs if done % 2 == 0 else reversed(programs):
                options = ["--threads", str(threads), "--seconds", str(args.seconds), "--only", shape]
                for line in lines(program + options):
                    row = json.loads(line)
                    if row["workload"] in names:
                        rows.append(row)
                        print(line, file=log, flush=True)
    return rows


def medians(rows):
    """The median time in ms of each workload and mode; ours has no mode."""
    times = {}
    for row in rows:
        times.setdefault((row["workload"], row.get("mode")), []).append(row["median_ms"])
    return {key: statistics.median(values) for key, values in times.items()}


def compared(rows):
    """One entry for each workload, in the order in which they were measured."""
    times = medians(rows)
    entries = []
    for name in dict.fromkeys(row["workload"] for row in rows):
        ours = next(row for row in rows if row["workload"] == name and "peer" not in row)
        modes = {mode: ms for (workload, mode), ms in times.items() if workload == name and mode}
        mode = min(modes, key=modes.get)
        our_ms = times[name, None]
        # Time times rate is the work of one pass, the same in every round.
        gflop, images = (ours[key] and ours[key] * ours["median_ms"] for key in ["gflop_per_s", "images_per_s"])
        entries.append(
            {
                "workload": name,
                "algorithm": ours["algorithm"] or "-",
                "our_ms": our_ms,
                "rate": f"{gflop / our_ms:.1f}" if gflop else "-",
                "images": images,
                "peer_ms": modes[mode],
                "mode": mode,
                "ratio": modes[mode] / our_ms,
            }
        )
    return entries


def section(threads, entries):
    """The table of one number of threads and what follows from it."""
    text = [f"### {threads} thread{'s' if threads > 1 else ''}", ""]
    text += ["| workload | ours, ms | ours, GFLOP/s | algorithm | PyTorch, ms | its mode | ratio |"]
    text += ["|---|---:|---:|---|---:|---|---:|"]
    for e in entries:
        text.append(
            f"| `{e['workload']}` | {e['our_ms']:.3f} | {e['rate']} | {e['algorithm']} | {e['peer_ms']:.3f} | {e['mode']} "
            f"| {e['ratio']:.2f} |"
        )
    text.append("")
    convolutions = [e["ratio"] for e in entries if e["workload"].startswith("conv")]
    if convolutions:
        mean = math.exp(statistics.fmean(map(math.log, convolutions)))
        text += [f"Geometric mean of the ratios of all {len(convolutions)} convolution passes: **{mean:.2f}**.", ""]
    for e in entries:
        if e["workload"].startswith("train_step/"):
            ours, peer = e["images"] / e["our_ms"], e["images"] / e["peer_ms"]
            text += [f"`{e['workload']}`: {ours:,.0f} images/s, PyTorch {peer:,.0f}: **{e['ratio']:.2f}**.", ""]
    slower = sorted((e for e in entries if e["ratio"] < 1), key=lambda e: e["ratio"])
    named = ", ".join(f"`{e['workload']}` ({e['ratio']:.2f})" for e in slower)
    text += [f"Slower than PyTorch: {named or 'none'}.", ""]
    return "\n".join(text)


def cpu_model():
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def setting(args, rows):
    """Which versions ran where, and how."""
    peer = next(row["peer"] for row in rows if "peer" in row)
    isa = next(row["isa"] for row in rows if "isa" in row)
    ours = lines([args.pitfall, "--version"])[0]
    return (
        f"{ours} ({isa}) and {peer} (Python {platform.python_version()}) on {cpu_model()}, {platform.system()}; "
        f"in turns, rounds: {args.rounds}, {args.seconds:g} s for each workload and round. "
        "Ratio: PyTorch's time over ours; above 1 we are faster.\n"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", default="1", metavar="N[,N]", help="numbers of threads, a table for each")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0.5)
    parser.add_argument("--only", default="", metavar="SUBSTRING")
    parser.add_argument("--modes", default="eager,channels_last", help="of PyTorch; see pytorch.py")
    parser.add_argument("--pitfall", default=PITFALL, metavar="PATH", help="the binary (default: %(default)s)")
    parser.add_argument("--rows", default=os.devnull, metavar="FILE", help="where to keep every row that was measured")
    parser.add_argument("--write", type=Path, metavar="FILE", help=f"put the result between {BEGIN} and {END} of FILE")
    args = parser.parse_args()
    threads = [int(count) for count in args.threads.split(",")]
    if args.rounds < 1:
        parser.error("--rounds must be at least 1")
    if not Path(args.pitfall).is_file():
        parser.error(f"there is no {args.pitfall}; build it with cargo build --release, or give --pitfall")
    if args.write:
        before, begin, rest = args.write.read_text().partition(BEGIN)
        _, end, after = rest.partition(END)
        if not (begin and end):
            parser.error(f"{args.write} has no lines {BEGIN} and {END}")

    sections, rows = [], []
    with open(args.rows, "w") as log:
        for count in threads:
            of_count = measure(args, count, log)
            sections.append(section(count, compared(of_count)))
            rows += of_count
    result = "\n".join([setting(args, rows), *sections])
    print(result)
    if args.write:
        args.write.write_text(f"{before}{BEGIN}\n{result}{END}{after}")


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        sys.exit(f"compare.py: {error}")

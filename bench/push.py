"""How long from an image to its ack, as the evaluator's application sees it?

One open channel per variant, between two processes; each image is sent after the ack of the one
before, encoded and decoded on both sides. Blocks of PUSHES images of the variants alternate.
"""

import time

import harness

PUSHES = 100
WARM_UP = 3  # blocks


def main() -> None:
    blocks = f"blocks of {PUSHES} images per variant"
    args = harness.parse_args(__doc__, rounds=10, quick_rounds=3, round_is=blocks)
    times: dict[harness.Variant, list[float]] = {variant: [] for variant in args.variants}
    with harness.open_variants(args.variants) as evaluators:
        for evaluator in evaluators.values():
            evaluator.ask(do="open", image=harness.IMAGE)
        for block in range(WARM_UP + args.rounds):
            for variant, evaluator in evaluators.items():
                answer = evaluator.ask(do="push", image=harness.IMAGE, count=PUSHES)
                if block >= WARM_UP:
                    times[variant] += answer["ms"]
                time.sleep(harness.SETTLE)
        for evaluator in evaluators.values():
            evaluator.ask(do="close")
    harness.report("push", "image to ack, channel open", times, 99, args.json)


if __name__ == "__main__":
    harness.run(main)

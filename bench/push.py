"""How long from an image to its ack, as the evaluator's application sees it?

One open channel per variant, between two processes; each image is sent after the ack of the one
before, encoded and decoded on both sides. Blocks of PUSHES images of the two variants alternate.
"""

import time

import harness

PUSHES = 100
WARM_UP = 3  # blocks


def main() -> None:
    args = harness.parse_args(__doc__, rounds=10, round_is=f"blocks of {PUSHES} images per variant")
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
    harness.report("push", "image to ack", times, 99, args.json)


if __name__ == "__main__":
    harness.run(main)

"""How long from `start_session` to the first ack, at the evaluator?

Relay, evaluator and client are three processes per variant, started once. A round opens a session
and shows one image; closing the session is not timed. Rounds of the variants alternate.

The others sleep 20 ms of their time (aioice's pacing) and ours is all computing, so other work
on the machine raises the ratio: compare ratios from a machine that is otherwise idle.
"""

import time

import harness

WARM_UP = 3


def main() -> None:
    args = harness.parse_args(__doc__, rounds=40, quick_rounds=10, round_is="sessions per variant")
    times: dict[harness.Variant, list[float]] = {variant: [] for variant in args.variants}
    with harness.open_variants(args.variants) as evaluators:
        for _ in range(WARM_UP + args.rounds):
            for variant, evaluator in evaluators.items():
                times[variant].append(evaluator.ask(do="handshake", image=harness.IMAGE)["ms"])
                time.sleep(harness.SETTLE)
    counted = {variant: values[WARM_UP:] for variant, values in times.items()}
    harness.report("handshake", "`start_session` to first ack", counted, 95, args.json)


if __name__ == "__main__":
    harness.run(main)

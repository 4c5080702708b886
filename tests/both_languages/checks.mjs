// What the check of a device decides: a part of replay.mjs.

/** By name: what is begun, and how one input goes through it. */
export async function checkPairs(load) {
  const { clockOffset, isOff } = await load("core/check/clock");
  const { CODES, sumUp } = await load("core/check/findings");
  const judging = await load("core/check/judging");
  return {
    clock_offsets: () => (answers) => {
      const offset = clockOffset(answers);
      return offset === null ? null : [offset.low, offset.high, isOff(offset)];
    },
    check: () => ([what, ...facts]) => [judging[`judge${what}`](...facts)].flat(),
    check_sums: () => (findings) => sumUp(findings),
    check_oldest: () => () => judging.OLDEST,
    check_codes: () => () => Object.fromEntries(CODES),
  };
}

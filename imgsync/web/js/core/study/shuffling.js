/**
 * Chance that is the same in every language: core/study/shuffling.py draws alike.
 *
 * The generator is sfc32 of PractRand, seeded as there; the shuffle is Fisher's and Yates's, from the
 * last place to the first. A draw that would make some places likelier than others is thrown away.
 */

const COUNT = 2 ** 32;
/** How often it is turned before the seed is everywhere in its state. */
const ROUNDS = 12;

/** @param {number} seed of 32 bits @returns {() => number} draws of 32 bits, which depend on nothing else */
export function generator(seed) {
  let [a, b, c, counter] = [0, seed, 0, 1];
  const draw = () => {
    const drawn = (a + b + counter) >>> 0;
    counter = (counter + 1) >>> 0;
    a = (b ^ (b >>> 9)) >>> 0;
    b = (c + (c << 3)) >>> 0;
    c = (((c << 21) | (c >>> 11)) + drawn) >>> 0;
    return drawn;
  };
  for (let round = 0; round < ROUNDS; round += 1) draw();
  return draw;
}

/**
 * @template T
 * @param {readonly T[]} items
 * @param {() => number} draw
 * @returns {T[]} in an order by chance, each as likely as any other
 */
export function shuffled(items, draw) {
  const found = [...items];
  for (let last = found.length - 1; last > 0; last -= 1) {
    const other = below(last + 1, draw);
    [found[last], found[other]] = [/** @type {T} */ (found[other]), /** @type {T} */ (found[last])];
  }
  return found;
}

/** @param {number} count @param {() => number} draw */
function below(count, draw) {
  const fair = Math.floor(COUNT / count) * count;
  for (;;) {
    const drawn = draw();
    if (drawn < fair) return drawn % count;
  }
}

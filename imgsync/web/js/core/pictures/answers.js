/** Which answers of a host hold a picture: the rule of `core/pictures/answers.py`. */

const EMPTY = [204, 205];
const PARTIAL = 206;

/**
 * Why an answer holds no whole picture, as the wire has it, or null if it may hold one.
 *
 * It was asked for without a range; some caches answer by one all the same, which may be all of it.
 * What came has to be checked in any case.
 *
 * @param {number} status
 * @param {string | null} contentRange the header of that name; null where nobody can know whether
 *   there is one
 * @returns {string | null}
 */
export function refusalOf(status, contentRange) {
  if (status < 200 || status >= 300 || EMPTY.includes(status)) return `http_${status}`;
  if (status !== PARTIAL || contentRange === null) return null;
  const found = /^bytes 0+-([0-9]+)\/([0-9]+|\*)$/.exec(contentRange);
  const isWhole = found !== null && ["*", String(Number(found[1]) + 1)].includes(found[2] ?? "");
  return isWhole ? null : `http_${status}`;
}

/**
 * SHA-256 (FIPS 180-4) of bytes that come in parts.
 *
 * Browsers have it in secure contexts alone, and only of what is there as a whole; the pages are also
 * used by plain HTTP inside a building, and a picture is hashed as it comes, so that nothing of it is
 * left to be done when its last byte is here.
 */

/** Bytes that are taken in at a time. */
const BLOCK = 64;
/** Where in the last block the length of all stands, in bits. */
const LENGTH_AT = 56;

/** Section 5.3.3: what it begins with. */
const FIRST = [
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
];

/** Section 4.2.2. */
const ROUNDS = Int32Array.of(
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
);

/** Of one run of bytes. */
export class Sha256 {
  #state = Int32Array.from(FIRST);
  #words = new Int32Array(ROUNDS.length);
  /** Behind the last whole block. */
  #rest = new Uint8Array(BLOCK);
  #size = 0;

  /** The next bytes. @param {Uint8Array} data */
  update(data) {
    const had = this.#size % BLOCK;
    this.#size += data.length;
    let at = 0;
    if (had > 0) {
      at = Math.min(BLOCK - had, data.length);
      this.#rest.set(data.subarray(0, at), had);
      if (had + at < BLOCK) return;
      compress(this.#state, this.#words, this.#rest, 0, BLOCK);
    }
    const end = data.length - ((data.length - at) % BLOCK);
    compress(this.#state, this.#words, data, at, end);
    this.#rest.set(data.subarray(end));
  }

  /** All has come; nothing may follow. @returns {string} 64 hexadecimal digits */
  digest() {
    const had = this.#size % BLOCK;
    const end = new Uint8Array(had < LENGTH_AT ? BLOCK : 2 * BLOCK);
    end.set(this.#rest.subarray(0, had));
    end[had] = 0x80;
    const bits = this.#size * 8;
    const view = new DataView(end.buffer);
    view.setUint32(end.length - 8, Math.floor(bits / 2 ** 32));
    view.setUint32(end.length - 4, bits % 2 ** 32);
    compress(this.#state, this.#words, end, 0, end.length);
    return Array.from(this.#state, (word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
  }
}

/**
 * Whole blocks, by section 6.2.2, in its letters. A round is written out, as calls would make it slow.
 * The arrays are `any` because each index that is used is there, which the type checker can't see.
 *
 * @param {any} state
 * @param {any} w a place to work in: the message schedule
 * @param {any} data
 * @param {number} start
 * @param {number} end
 */
function compress(state, w, data, start, end) {
  /** @type {any} */
  const k = ROUNDS;
  for (let at = start; at < end; at += BLOCK) {
    for (let t = 0, i = at; t < 16; t += 1, i += 4) {
      w[t] = (data[i] << 24) | (data[i + 1] << 16) | (data[i + 2] << 8) | data[i + 3];
    }
    for (let t = 16; t < 64; t += 1) {
      const x = w[t - 15];
      const y = w[t - 2];
      const sigma0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
      const sigma1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
      w[t] = (w[t - 16] + sigma0 + w[t - 7] + sigma1) | 0;
    }
    // One by one, and as whole numbers: in any other way it takes an engine twice as long.
    let a = state[0] | 0;
    let b = state[1] | 0;
    let c = state[2] | 0;
    let d = state[3] | 0;
    let e = state[4] | 0;
    let f = state[5] | 0;
    let g = state[6] | 0;
    let h = state[7] | 0;
    for (let t = 0; t < 64; t += 1) {
      const sum1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
      const t1 = (h + sum1 + ((e & f) ^ (~e & g)) + k[t] + w[t]) | 0;
      const sum0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
      const t2 = (sum0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g;
      g = f;
      f = e;
      e = (d + t1) | 0;
      d = c;
      c = b;
      b = a;
      a = (t1 + t2) | 0;
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
    state[5] += f;
    state[6] += g;
    state[7] += h;
  }
}

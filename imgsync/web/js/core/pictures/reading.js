/**
 * How a picture is read while its bytes come in, as in `core/pictures/reading.py`: each format is a
 * generator that asks for the next step, and goes on with what came of it.
 *
 * A format that returns has seen the end of a whole picture; what follows is of no consequence. It
 * throws Malformed for what no browser would decode.
 *
 * @typedef {Generator<Step, void, any>} Format
 */

/** It is not built as its format has it. */
export class Malformed extends Error {}

/** It is something else. */
export class NoPicture extends Malformed {}

/** What a format asks for. */
export class Step {
  isDone = false;
  /** Whether it is whole if nothing more comes. */
  mayEnd = false;
  /** What the format goes on with, once it is done. @type {any} */
  answer = undefined;

  /**
   * @param {Uint8Array} data
   * @param {number} _at from where on these bytes are new
   * @returns {number} where the rest begins
   */
  eat(data, _at) {
    return data.length;
  }
}

/** So many bytes, to have; a few. */
export class Take extends Step {
  #have = 0;

  /** @param {number} count */
  constructor(count) {
    super();
    this.answer = new Uint8Array(count);
    this.isDone = count === 0;
  }

  /** @override @param {Uint8Array} data @param {number} at */
  eat(data, at) {
    const part = data.subarray(at, at + this.answer.length - this.#have);
    this.answer.set(part, this.#have);
    this.#have += part.length;
    this.isDone = this.#have === this.answer.length;
    return at + part.length;
  }
}

/** Nothing: what it is is certain from here on, where its first bytes did not tell. */
export class Found extends Take {
  constructor() {
    super(0);
  }
}

/** Nothing: how large it is as it is shown, in pixels. The last one counts. */
export class Sized extends Take {
  /** @param {number} width @param {number} height */
  constructor(width, height) {
    super(0);
    this.size = { width, height };
  }
}

/** So many bytes, whatever they are. */
export class Skip extends Step {
  #left;

  /** @param {number} count */
  constructor(count) {
    super();
    this.#left = count;
    this.isDone = count === 0;
  }

  /** @override @param {Uint8Array} data @param {number} at */
  eat(data, at) {
    const taken = Math.min(this.#left, data.length - at);
    this.#left -= taken;
    this.isDone = this.#left === 0;
    return at + taken;
  }
}

/** So many bytes, and the CRC-32 of them and of what was before. */
export class Sum extends Skip {
  /** @param {number} count @param {number} crc */
  constructor(count, crc) {
    super(count);
    this.answer = crc;
  }

  /** @override @param {Uint8Array} data @param {number} at */
  eat(data, at) {
    const end = super.eat(data, at);
    this.answer = crc32(data.subarray(at, end), this.answer);
    return end;
  }
}

/** All up to a byte that fits, as text: a few of the bytes before it, and that one. */
export class Until extends Step {
  #fits;
  #keep;

  /** @param {Uint8Array} fits not 0 for each byte that does @param {number} [keep] */
  constructor(fits, keep = 0) {
    super();
    this.#fits = fits;
    this.#keep = keep;
    this.answer = "";
  }

  /** @override @param {Uint8Array} data @param {number} at */
  eat(data, at) {
    let end = at;
    while (end < data.length && this.#fits[data[end] ?? 0] === 0) end += 1;
    const most = this.#keep - this.answer.length;
    if (most > 0 && end > at) this.answer += textOf(data.subarray(at, Math.min(end, at + most)));
    if (end === data.length) return end;
    this.isDone = true;
    this.answer += String.fromCharCode(data[end] ?? 0);
    return end + 1;
  }
}

/** The same of what may follow, or not. */
export class Rest extends Until {
  mayEnd = true;
}

/** All up to the end of a text. */
export class Past extends Step {
  #text;
  #found = 0;

  /** @param {string} text of one letter, once or more, and others that differ from it */
  constructor(text) {
    super();
    this.#text = text;
  }

  /** @override @param {Uint8Array} data @param {number} at */
  eat(data, at) {
    for (let place = at; place < data.length; place += 1) {
      const byte = data[place];
      if (byte === this.#text.charCodeAt(this.#found)) this.#found += 1;
      else if (byte !== this.#text.charCodeAt(0)) this.#found = 0;
      // Of `--->` the first one is not meant.
      else this.#found = this.#text.lastIndexOf(this.#text.charAt(0)) + 1;
      if (this.#found === this.#text.length) {
        this.isDone = true;
        return place + 1;
      }
    }
    return data.length;
  }
}

/** All up to the next marker of a JPEG and with it; its number. Restarts are passed over. */
export class Marker extends Step {
  #isBegun = false;

  /** @override @param {Uint8Array} data @param {number} at */
  eat(data, at) {
    for (let place = at; place < data.length; place += 1) {
      const byte = data[place] ?? 0;
      if (!this.#isBegun || byte === 0xff) {
        this.#isBegun = byte === 0xff;
        continue;
      }
      this.#isBegun = false;
      if (byte !== 0 && (byte < 0xd0 || byte > 0xd7)) {
        this.isDone = true;
        this.answer = byte;
        return place + 1;
      }
    }
    return data.length;
  }
}

/** Takes a format through the bytes as they come. */
export class Reader {
  #isOver = false;
  isFound = false;
  /** @type {{width: number, height: number} | null} */
  size = null;
  /** @type {Malformed | null} */
  failure = null;
  #steps;
  #step = new Step();

  /** @param {Format} steps */
  constructor(steps) {
    this.#steps = steps;
    this.#advance(undefined);
  }

  /** Whether nothing is missing. */
  get isWhole() {
    return this.failure === null && (this.#isOver || this.#step.mayEnd);
  }

  /** The next bytes. @param {Uint8Array} data */
  feed(data) {
    let at = 0;
    while (at < data.length && !this.#isOver && this.failure === null) {
      at = this.#step.eat(data, at);
      if (this.#step.isDone) this.#advance(this.#step.answer);
    }
  }

  /** @param {unknown} answer */
  #advance(answer) {
    try {
      let next = this.#steps.next(answer);
      while (next.done !== true && next.value.isDone) {
        if (next.value instanceof Found) this.isFound = true;
        if (next.value instanceof Sized) this.#note(next.value);
        next = this.#steps.next(next.value.answer);
      }
      if (next.done === true) this.#isOver = true;
      else this.#step = next.value;
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      this.failure = error;
    }
  }

  /** @param {Sized} step */
  #note({ size }) {
    if (size.width > 0 && size.height > 0) this.size = size;
  }
}

/** @param {Uint8Array} data a few @returns {string} a character for each byte */
export function textOf(data) {
  return String.fromCharCode(...data);
}

/** @param {string} text @returns {Uint8Array} a byte for each character */
export function bytesOf(text) {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

/** @param {Uint8Array} data @param {number} [at] @param {number} [end] @returns {number} */
export function big(data, at = 0, end = data.length) {
  return data.subarray(at, end).reduce((sum, byte) => sum * 256 + byte, 0);
}

/** @param {Uint8Array} data @param {number} at @param {number} end @returns {number} */
export function little(data, at, end) {
  return data.subarray(at, end).reduceRight((sum, byte) => sum * 256 + byte, 0);
}

const CRCS = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

/** @param {Uint8Array} data @param {number} [before] of what was before @returns {number} */
export function crc32(data, before = 0) {
  let crc = ~before;
  for (let at = 0; at < data.length; at += 1) {
    crc = (CRCS[(crc ^ (data[at] ?? 0)) & 255] ?? 0) ^ (crc >>> 8);
  }
  return ~crc >>> 0;
}

// What the pages decide of pictures that are sent over a connection: a part of replay.mjs.

/** Bytes are told by how many they are, and which they begin and end with. */
const outline = (data) => [data.length, data.at(0) ?? null, data.at(-1) ?? null];
/** A text, or a binary message in base 64. */
const dataOf = (given) =>
  typeof given === "string" ? given : Uint8Array.from(Buffer.from(given[0], "base64")).buffer;
/** Why something is dropped, or can't be understood, each reader says in its own words. */
const TRANSFERRED = {
  tell: ({ text }) => {
    const message = JSON.parse(text);
    return [message.reason === "bad_message" ? { ...message, detail: "" } : message];
  },
  sendChunk: ({ data }) => [outline(new Uint8Array(data))],
  read: (o) => [o.id, o.imageUrl, o.offset, o.size],
  done: (o) => [o.id],
  notSent: (o) => [o.imageUrl, o.reason, o.detail],
  drop: () => [],
  parked: (o) => [o.number],
  answered: (o) => [o.number, o.offset, o.length, o.contentType, o.sha256],
  came: (o) => [o.number, outline(o.data)],
  finished: (o) => [o.number],
  failed: (o) => [o.number, o.reason, o.mayPass, o.keeps, o.detail],
};
const tellTransfer = (outputs) => outputs.map((o) => [o.kind, ...TRANSFERRED[o.kind](o)]);

/** By name, as in replay.mjs. */
export async function transferPairs(load, finite) {
  const { decodeHeads, decodeWants, encodeData } = await load("core/protocol/pictures");
  const { Budget } = await load("core/transfer/budget");
  const { Receiver } = await load("core/transfer/receiver");
  const { Sender } = await load("core/transfer/sender");
  const { Window, chunkSize } = await load("core/transfer/window");
  const { LARGEST_WINDOW } = await load("core/protocol/numbers");
  return {
    transferTexts: () => ([side, given]) => {
      const read = side === "wants" ? decodeWants : decodeHeads;
      const { why, data, ...found } = read(dataOf(given));
      if (data !== undefined) return { ...found, data: outline(data) };
      // What was read can be written, and is the same then.
      if (why === undefined && JSON.stringify(read(encodeData(found))) !== JSON.stringify(found)) return "another";
      return found;
    },
    window: () => {
      const window = new Window();
      let most = LARGEST_WINDOW;
      return ([method, ...given]) => {
        window[method](...given);
        if (method === "acked") most = given[1];
        return [window.size, window.inFlight, [LARGEST_WINDOW, most].map((one) => chunkSize(window.size, one))];
      };
    },
    senders: ({ offers, count }) => {
      const budget = new Budget();
      const offered = new Map(Object.entries(offers));
      const senders = Array.from({ length: count }, () => new Sender(offered, budget));
      return ([which, method, ...given]) => {
        if (method === "receive") given[0] = dataOf(given[0]);
        // A block that was read: each byte says where it stands.
        if (method === "read") given.splice(1, 2, Uint8Array.from({ length: given[2] }, (_, i) => given[1] + i));
        return [tellTransfer(senders[which][method](...given)), budget.share, budget.block];
      };
    },
    receiver: () => {
      const receiver = new Receiver();
      return ([method, ...given]) => {
        if (method === "receive") given[0] = dataOf(given[0]);
        return [tellTransfer(receiver[method](...given)), finite(receiver.due)];
      };
    },
  };
}

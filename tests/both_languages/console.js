// Runs inputs through what the console decides with, and tells what came out.
(() => {
  const forms = {
    transmit: ({ message }) => message,
    acked: ({ image, receivedAt, copies }) => [image.sentAt, receivedAt, copies],
    superseded: ({ image }) => [image.sentAt],
    staged: ({ image, stage, at, reason }) => [image.sentAt, stage, at, reason],
  };
  const tell = (outputs) => outputs.map((output) => [output.kind, forms[output.kind](output)]);

  window.replayPresenter = async (inputs) => {
    const { Presenter } = await import("/web/js/core/channel/presenter.js");
    const { decodeMessage } = await import("/web/js/core/protocol/wire.js");
    const presenter = new Presenter({ lastSentAt: 0 });
    return inputs.map(([method, ...given]) => {
      if (method === "show") return tell(presenter.show(...given).outputs);
      if (method === "received") given = [decodeMessage(JSON.stringify(given[0]))];
      return tell(presenter[method](...given));
    });
  };
  window.readManifests = async (texts) => {
    const { BadManifest, parseManifest } = await import("/web/js/console/manifest.js");
    return texts.map((text) => {
      try {
        return parseManifest(text, "M");
      } catch (error) {
        if (!(error instanceof BadManifest)) throw error;
        return error.message;
      }
    });
  };
  window.writeCsv = async (rows) => {
    const { formatCsv, parseCsv } = await import("/web/js/console/csv.js");
    const text = formatCsv(rows);
    return [text, parseCsv(text)];
  };
  window.compareClocks = async (probes) => {
    const { ClockOffset } = await import("/web/js/core/channel/clocks.js");
    const clocks = new ClockOffset();
    return probes.map(([t0, t1, t2, t3]) => {
      const remark = clocks.take({ t0, t1, t2, t3 });
      return [remark?.kind ?? null, remark?.by ?? null, clocks.at(t3 + 500)];
    });
  };
  window.announce = async (count, places) => {
    const { Announcements, splitPreload } = await import("/web/js/core/channel/preload.js");
    const url = (index) => `http://host/${index}.png`;
    const series = Array.from({ length: count }, (_, index) => {
      return { imageUrl: url(index), signedUrl: `${url(index)}?${"s".repeat(800)}` };
    });
    const known = new Announcements();
    return places.map((place) => {
      const messages = splitPreload(known.next(series, place) ?? []);
      return messages.map((message) => [
        new TextEncoder().encode(JSON.stringify(message)).length,
        message.images.map(({ imageUrl }) => Number(/(\d+).png$/.exec(imageUrl)[1])),
      ]);
    });
  };
  window.fillRecord = async (roomFor) => {
    const { SessionRecord } = await import("/web/js/console/record.js");
    const kept = new Map();
    const storage = {
      getItem: (key) => kept.get(key) ?? null,
      setItem(key, text) {
        if (!kept.has(key) && kept.size === roomFor) throw new DOMException("full");
        kept.set(key, text);
      },
    };
    const record = new SessionRecord(storage, "K");
    for (let number = 0; number < 350; number += 1) {
      record.add(number, "ping");
      if (number % 7 === 0) await null;
    }
    await null;
    const again = new SessionRecord(storage, "K");
    return [record.isKept, record.events.length, again.events.map((event) => event.at)];
  };
})();

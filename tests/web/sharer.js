// An evaluator in a page that sends pictures of its own, on the modules that a console is built of.
(async () => {
  const { Signalling } = await import("/web/js/peer/signalling.js");
  const { SharingSession } = await import("/web/js/console/sharing_session.js");
  const { Presenter } = await import("/web/js/core/channel/presenter.js");
  const { bytesOf, crc32 } = await import("/web/js/core/pictures/reading.js");
  const { Sha256 } = await import("/web/js/core/pictures/sha256.js");
  const { now } = await import("/web/js/peer/clock.js");
  const url = location.origin.replace("http", "ws") + "/ws";
  const clientId = new URLSearchParams(location.search).get("of");
  window.states = [];
  window.told = [];
  window.warned = [];
  console.warn = (text) => warned.push(text);

  // Its connections, the last of which can fail.
  window.connections = [];
  const Real = RTCPeerConnection;
  window.RTCPeerConnection = class extends Real {
    constructor(...given) {
      super(...given);
      connections.push(this);
    }
  };
  window.breakConnection = () => {
    const [last] = connections.slice(-1);
    Object.defineProperty(last, "connectionState", { value: "failed" });
    last.onconnectionstatechange();
  };

  // ── pictures ───────────────────────────────────────────────────────────────────────────────────

  /** A PNG of this size in bytes: what its first chunk leaves is a chunk that browsers pass over. */
  window.enlarge = (png, size) => {
    const data = new Uint8Array(size - png.length - 12);
    for (let at = 0; at < data.length; at += 65536) crypto.getRandomValues(data.subarray(at, at + 65536));
    const chunk = new Uint8Array(data.length + 12);
    const view = new DataView(chunk.buffer);
    view.setUint32(0, data.length);
    chunk.set(bytesOf("raNd"), 4);
    chunk.set(data, 8);
    view.setUint32(data.length + 8, crc32(chunk.subarray(4, data.length + 8)));
    return new Blob([png.subarray(0, 33), chunk, png.subarray(33)], { type: "image/png" });
  };

  window.images = [];
  /** Each is as wide as its place says. */
  window.add = async (name, blob) => {
    const hash = new Sha256();
    hash.update(new Uint8Array(await blob.slice().arrayBuffer()));
    const facts = { sha256: hash.digest(), contentType: "image/png", bytes: blob.size, width: null, height: null };
    images.push({ imageUrl: `images/0a1b2c3d/${name}`, signedUrl: null, own: { blob, facts } });
  };
  window.addPngs = async (texts, size) => {
    for (const text of texts) await add(`${images.length}.png`, enlarge(bytesOf(atob(text)), size));
  };

  // ── what is said ───────────────────────────────────────────────────────────────────────────────

  const presenter = new Presenter({ lastSentAt: 0 });
  const perform = (outputs) => {
    for (const output of outputs) {
      if (output.kind === "transmit") session.send(output.message);
      else if (output.kind === "share") session.share();
      else told.push({ at: now(), ...output });
    }
  };
  window.show = (place) => {
    session.offer([images[place]]);
    perform(presenter.show(place, images[place], now()).outputs);
  };
  window.announce = (from = 0) => {
    session.offer(images);
    perform(presenter.preload(images.slice(from), session.waiting));
  };
  window.failed = () => told.filter(({ stage }) => stage === "failed").map(({ image, reason }) => [image.imageIndex, reason]);
  window.shown = () => told.filter(({ stage }) => stage === "shown").map(({ image }) => image.imageIndex);

  await new Promise((resolve) => {
    window.signalling = new Signalling(
      { url, userId: `E-of-${clientId}`, role: "evaluator" },
      { changed: (state) => state === "up" && resolve(), present: () => {} },
    );
    signalling.start();
  });
  const route = await signalling.startSession(clientId, null);
  window.session = new SharingSession(
    route,
    { iceServers: signalling.iceServers, offers: true },
    {
      opened: () => perform(presenter.opened(route.features, session.maxMessage)),
      drained: () => perform(presenter.drained(session.waiting)),
      received: (message) => perform(presenter.received(message, session.waiting)),
      changed: (change) => {
        states.push(change);
        if (change.state === "interrupted" || change.state === "ended") perform(presenter.closed());
      },
    },
  );
})();

// Runs inputs through the pages' own deciders, and tells what came out, in the form of the tests.
(() => {
  const seconds = (output) => [output.seconds, output.failures];
  const forms = {
    makeOffer: (o) => [o.attempt],
    makeAnswer: (o) => [o.attempt, /ice-ufrag:(\S+)/.exec(o.sdp)[1]],
    applyAnswer: (o) => [o.attempt, /ice-ufrag:(\S+)/.exec(o.sdp)[1]],
    addCandidate: (o) => [o.attempt, Number(o.candidate.candidate?.split(" ")[5]) || null],
    say: (o) => [o.signal.type ?? "candidate"],
    timer: (o) => [o.timer, o.number, ...seconds(o)],
    takeUp: () => [],
    discard: (o) => [o.attempt],
    connected: () => [],
    interrupted: (o) => [o.reason],
    ended: (o) => [o.reason],
    ping: (o) => [o.id],
    judged: (o) => [o.health],
  };
  const tell = (outputs) =>
    (outputs ?? []).filter(({ kind }) => kind !== "note").map((o) => [o.kind, ...forms[o.kind](o)]);

  window.replayHandshake = async ({ offers, inputs }) => {
    const { Handshake } = await import("/web/js/core/handshake/handshake.js");
    const { decodeSignal } = await import("/web/js/core/protocol/wire.js");
    const core = new Handshake(offers);
    return inputs.map(([method, ...given]) => {
      if (method === "receive") given = [decodeSignal(JSON.parse(given[0]))];
      if (method === "gathered") given[1] = { candidate: given[1] };
      const outputs = tell(core[method](...given));
      return [outputs, core.phase, core.attempt];
    });
  };
  window.replayHeartbeat = async (inputs) => {
    const { Heartbeat } = await import("/web/js/core/channel/heartbeat.js");
    const heart = new Heartbeat();
    return inputs.map(([method, ...given]) => {
      const outputs = tell(heart[method](...given));
      return [outputs, heart.health, heart.due === Infinity ? null : heart.due];
    });
  };
})();

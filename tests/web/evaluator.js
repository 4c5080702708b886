// An evaluator in a page, on the modules that the pages share: what a console is built of.
(async () => {
  const { Signalling } = await import("/web/js/peer/signalling.js");
  const { Session } = await import("/web/js/peer/session.js");
  const url = location.origin.replace("http", "ws") + "/ws";
  const query = new URLSearchParams(location.search);
  const clientId = query.get("of");
  window.states = [];
  window.got = [];
  let current = null;

  await new Promise((resolve) => {
    window.signalling = new Signalling(
      { url, userId: `E-of-${clientId}`, role: "evaluator" },
      {
        changed: (state) => state === "up" && resolve(),
        present: (clients) => (window.clients = [...clients.values()]),
      },
    );
    signalling.start();
  });
  const route = await signalling.startSession(clientId, sessionStorage.getItem("session"));
  sessionStorage.setItem("session", route.sessionId);
  window.session = new Session(
    route,
    { iceServers: signalling.iceServers, offers: true },
    {
      opened: () => current && session.send(current),
      received(message) {
        got.push(message);
        if (message.type === "ready" && current) session.send(current);
      },
      changed: (change) => states.push(change),
    },
  );
  const absolute = (path) => new URL(path, location.href).href;
  window.show = (imageIndex, path, signedPath = path) => {
    const [imageUrl, signedUrl] = [absolute(path), absolute(signedPath)];
    current = { imageIndex, imageUrl, signedUrl, sentAt: performance.timeOrigin + performance.now() };
    return session.send(current);
  };
})();

// A client in a page that says on the channel of pictures whatever it is told to, and answers nothing.
(async () => {
  const { Signalling } = await import("/web/js/peer/signalling.js");
  const { Session } = await import("/web/js/peer/session.js");
  const url = location.origin.replace("http", "ws") + "/ws";
  const userId = new URLSearchParams(location.search).get("as");
  window.heard = [];
  window.bytes = 0;
  window.images = [];
  window.isShared = false;
  const join = (route) => {
    window.session = new Session(route, { iceServers: [], offers: false }, {
      opened: () => session.send({ type: "ready", features: ["ping", "preload", "pictures"] }),
      received: (message) => images.push(...("imageUrl" in message ? [message] : (message.images ?? []))),
      changed: ({ state }) => (window.state = state),
      shared: ({ kind, data }) => {
        if (kind === "shared") isShared = true;
        if (typeof data === "string") heard.push(JSON.parse(data));
        else bytes += data?.byteLength ?? 0;
      },
    });
  };
  await new Promise((resolve) => {
    window.signalling = new Signalling(
      { url, userId, role: "client" },
      { changed: (state) => state === "up" && resolve(), invited: join },
    );
    signalling.start();
  });
  window.say = (message) => session.sendData(typeof message === "string" ? message : JSON.stringify(message));
  window.want = (id, imageUrl, offset = 0) => say({ type: "want", id, imageUrl, offset });
})();

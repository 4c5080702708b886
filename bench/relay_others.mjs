// The relays in Node that `relay_cpu.py` measures beside ours: see relay_others.py.
//
//     node relay_others.mjs ws|socket.io FOLDER
//
// FOLDER is the one whose node_modules has the library.

import { createServer } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";

const [which, folder] = process.argv.slice(2);
const require = createRequire(join(folder, "package.json"));
const server = createServer();
const peers = new Map();

function serveWs() {
  const { WebSocketServer } = require("ws");
  new WebSocketServer({ server, perMessageDeflate: false }).on("connection", (peer) => {
    let user = "";
    peer.on("message", (frame) => {
      const { event, data } = JSON.parse(frame);
      if (event === "register") {
        user = data.userId;
        peers.set(user, peer);
        peer.send(JSON.stringify({ event: "registered", data: { userId: user } }));
      } else {
        const forwarded = { fromUserId: user, signal: data.signal };
        peers
          .get(data.targetUserId)
          .send(JSON.stringify({ event: "webrtc_signal", data: forwarded }));
      }
    });
  });
  return "/ws";
}

function serveSocketIo() {
  const { Server } = require("socket.io");
  new Server(server).on("connection", (peer) => {
    let user = "";
    peer.on("register", (data) => {
      user = data.userId;
      peers.set(user, peer);
      peer.emit("registered", { userId: user });
    });
    peer.on("webrtc_signal", (data) => {
      const forwarded = { fromUserId: user, signal: data.signal };
      peers.get(data.targetUserId).emit("webrtc_signal", forwarded);
    });
  });
  return "/socket.io/";
}

const path = which === "ws" ? serveWs() : serveSocketIo();
server.listen(0, "127.0.0.1", () =>
  console.log(`listening on ws://127.0.0.1:${server.address().port}${path}`),
);
process.stdin.on("end", () => process.exit()).resume();

// Runs inputs through the pages' own deciders and readers, in Node, and tells what came out: one JSON
// object on a line of stdin, with the name of what is to be run, gets one line back.
import { createInterface } from "node:readline";

import { checkPairs } from "./checks.mjs";
import { transferPairs } from "./transfer.mjs";

const [root] = process.argv.slice(2);
const load = (name) => import(`${root}/${name}.js`);

const obstacles = await load("core/protocol/obstacles");
const { describeObstacle } = await load("words/relay");
const { describeServer } = await load("words/console_relay");
const { asksAnew } = await load("core/handshake/causes");
const { Keepalive } = await load("core/handshake/keepalive");
const { Handshake } = await load("core/handshake/handshake");
const { pauseAfter } = await load("core/handshake/patience");
const { parseCandidate, parseDescription, reduceOffer } = await load("core/handshake/sdp");
const { Sessions } = await load("core/handshake/sessions");
const { Downloads } = await load("core/channel/downloads");
const { Early } = await load("core/channel/early");
const { Heartbeat } = await load("core/channel/heartbeat");
const { Line } = await load("core/channel/line");
const { Presenter } = await load("core/channel/presenter");
const { Follower } = await load("core/channel/follower");
const { ClockOffset, Measurements } = await load("core/channel/clocks");
const { Onsets } = await load("core/channel/onsets");
const { Exposure, Lags, isBelowFrame } = await load("core/channel/exposure");
const { Refresh } = await load("core/channel/refresh");
const { Answers, placeOnPicture } = await load("core/channel/answers");
const { isAnyKey, plainKey } = await load("core/protocol/keys");
const { describeAgent, zoomOf } = await load("device/agent");
const { Turns, choose } = await load("core/channel/turns");
const { Announcements, splitPreload } = await load("core/channel/preload");
const { screenNeedsOf, warningsOf } = await load("core/study/displays");
const { calibrationOn, distanceOf, isSameScreen, readKept } = await load("core/study/calibration");
const { drawnOf } = await load("core/study/drawing");
const { lengthOf } = await load("core/study/sizes");
const { endsByItself, Entry, needsOf } = await load("core/study/running");
const { refusalOf } = await load("core/pictures/answers");
const { OTHERS } = await load("core/pictures/others");
const { Inspection } = await load("core/pictures/inspection");
const { inNaturalOrder, isNamedAsPicture, isOfSystem } = await load("core/pictures/names");
const { Sha256 } = await load("core/pictures/sha256");
const { decodeEvent, decodeMessage, decodeSignal, encodeMessage } = await load("core/protocol/wire");
const { firstConflict, imageKey, nameInKey, newestUrl } = await load("core/protocol/naming");
const { IceUrlError, chooseIce, formatIceUrl, parseIceUrl } = await load("core/protocol/ice");
const { isWebUrl, publicUrl } = await load("core/protocol/urls");
const { makeLink } = await load("core/protocol/invitation");
const { Arrivals } = await load("console/arrivals");
const { Route } = await load("peer/route");
const { RelayError } = await load("peer/starting");
const { Routes } = await load("peer/signalling");
const { lastWords, plain } = await load("core/handshake/telling");
const console_ = await load("words/console");
const client = await load("words/client");
const { Renewal } = await load("core/channel/renewal");
const { SessionJournal } = await load("console/session_journal");
const { openTransfer } = await load("client/fetching");
// As in a browser, where each message is a task of its own: Node hands out many in one turn.
globalThis.MessageChannel = class {
  port1 = { onmessage: () => {} };
  port2 = { postMessage: () => setImmediate(() => this.port1.onmessage()) };
};
const { inTurns } = await load("client/in_turns");
const { describeRefusal } = await load("client/refusals");
const { Selection } = await load("console/selection");
const { BadManifest, parseManifest, parseNames } = await load("console/manifest");
const { formatCsv, parseCsv } = await load("console/csv");
const { COLUMNS, thousandths } = await load("console/table");
const { EVENTS, recognize } = await load("console/events");
const { iso } = await load("console/rows");
const { Journal } = await load("console/journal");

const bare = (line) => line?.replace(/^candidate:/, "") || null;
const port = ({ candidate }) => (candidate === null ? null : Number(candidate.split(" ")[5]));
const finite = (seconds) => (seconds === Infinity ? null : seconds);

/** Each output as a list: its kind, and what matters of it. */
const FORMS = {
  makeOffer: (o) => [o.attempt, o.leads],
  makeAnswer: (o) => [o.attempt, o.sdp],
  applyAnswer: (o) => [o.attempt, o.sdp],
  addCandidate: (o) => [o.attempt, port(o.candidate)],
  say: ({ signal: { type, sdp, candidate, sdpMid, sdpMLineIndex, usernameFragment } }) =>
    type === undefined
      ? ["candidate", bare(candidate), sdpMid, sdpMLineIndex, usernameFragment]
      : [type, sdp ?? null],
  takeUp: () => [],
  discard: (o) => [o.attempt],
  connected: (o) => [o.attempt],
  interrupted: (o) => [o.reason, o.detail],
  // What is wrong with a signal, each parser says in its own words.
  ended: (o) => [o.reason, o.reason === "negotiation_failed" ? "" : o.detail],
  sendPing: (o) => [o.id],
  judged: (o) => [o.health],
  sendPong: (o) => [o.ping, o.t1],
  ponged: (o) => [o.pong, o.t3],
  heard: (o) => [o.message, o.at],
  unanswered: () => [],
  drop: () => [], // each reader says why in its own words
  transmit: (o) => [o.message],
  begin: ({ about: a }) => [a.sessionId, a.peerId, a.peerName, a.resumed, a.ownerUnknown, a.features],
  named: ({ about: a }) => [a.ref, a.sessionId, a.features, a.saysAgain, a.isOver],
  invited: (o) => [o.sessionId],
  answered: (o) => [o.sessionId],
  back: (o) => [o.sessionId, o.features],
  speaks: (o) => [o.sessionId, o.features],
  gone: (o) => [o.sessionId, o.reason],
  taken: (o) => [o.sessionId],
  end: (o) => [o.message],
  disown: ({ message: m }) => [m.targetUserId, m.signal, m.sessionId],
  leave: (o) => [o.sessionId],
  acked: (o) => [o.image.sentAt, o.receivedAt, o.copies],
  tooLarge: (o) => [o.image.sentAt],
  unsendable: (o) => [o.image.sentAt, o.feature],
  share: () => [],
  identified: (o) => [o.image.sentAt, o.said],
  superseded: (o) => [o.image.sentAt],
  neverShown: (o) => [o.image.sentAt],
  staged: (o) => [o.image.sentAt, o.stage, o.at, o.reason, o.timing, o.within, o.detail, o.frames, o.dropped, o.drawn],
  responded: (o) => [o.image.sentAt, o.said],
  displayed: (o) => [o.said],
  recorded: (o) => [o.devices, o.troubles, o.at],
  counted: (o) => [o.said],
  start: (o) => [o.number, o.name, o.url, o.offset, o.isUrgent],
  stop: (o) => [o.number],
  givenUp: (o) => [o.name, o.reason, o.detail],
  progress: (o) => [o.announced, o.there, o.failed, o.isFull],
  evict: (o) => [o.name],
};
const tell = (outputs) =>
  (outputs ?? []).filter(({ kind }) => kind !== "note").map((o) => [o.kind, ...FORMS[o.kind](o)]);

/** What is refused, and not a fault of ours. */
function orRefused(what, refusal) {
  try {
    return what();
  } catch (error) {
    if (!(error instanceof refusal)) throw error;
    return error.message;
  }
}

/** The downloads, JSONL and CSV, of a record of these events. */
function download(events) {
  /** @type {object[]} */
  const kept = [];
  let journal = new Journal(kept, (event) => kept.push(event));
  for (const { at, event, ...fields } of events) {
    if (event === "header") {
      journal = new Journal(JSON.parse(JSON.stringify(kept)), (event) => kept.push(event));
    }
    journal.add(at, event, fields);
    // The table has looked in between; what it has seen must not be what is downloaded later.
    journal.measured({ imageIndex: 0, ...fields });
  }
  return [journal.toJsonl(), journal.toCsv()];
}

/** The sessions of a peer, before a relay that answers as the script says; what each step led to. */
function playRoutes(starts) {
  let told = [];
  let isUp = true;
  const held = new Map();
  const hold = (what, route) => {
    told.push([what, route.sessionId]);
    held.set(route.sessionId, route);
    route.listen(({ kind, reason }) => told.push([kind, route.sessionId, ...(reason ? [reason] : [])]));
  };
  const post = (event, { clientId = null, sessionId = null, ref = null }) => {
    if (isUp) told.push([event, clientId, sessionId, ref]);
    return isUp;
  };
  const routes = new Routes(starts, { post, probe: () => {}, reconnect: () => {} }, (route) => hold("invited", route));
  const beginOn = (route) => {
    told.push(["early"]);
    route.say({ candidate: null });
    return {
      close: () => {
        route.end();
        route.close();
      },
    };
  };
  const failed = ({ code }) => told.push(["failed", code === "relay_lost" ? "no_relay" : code]);
  const methods = {
    startSession: (clientId) =>
      void routes.startSession(clientId, null, beginOn).then((route) => hold("started", route), failed),
    started: (data) => routes.started(decodeEvent(JSON.stringify({ event: "session_started", data })).data),
    refused: ([code, ref]) => routes.refused(new RelayError(code), ref),
    clientWent: (clientId) => routes.clientWent(clientId),
    relayLost: () => {
      isUp = false;
      routes.relayLost(new RelayError("relay_lost"));
    },
    registered: ([features, clients]) => {
      isUp = true;
      routes.registered(features, clients);
    },
    ended: (id) => routes.ended(id, { kind: "endCame", reason: "ended", detail: "" }),
    mayAsk: () => routes.mayAsk(),
    sayAgain: () => routes.sayAgain(),
    clientSpeaks: ([clientId, features]) => routes.clientSpeaks(clientId, features),
  };
  return async ([method, given]) => {
    told = [];
    if (method in methods) methods[method](given);
    else held.get(given)?.[method]();
    if (method === "close") held.delete(given);
    await new Promise(setImmediate);
    for (const [id, route] of held) told.push(["speaks", id, route.features]);
    return told.map((item) => JSON.stringify(item)).sort();
  };
}

const fieldsOf = Object.entries(EVENTS).map(([name, fields]) => [name, Object.keys(fields)]);

/** One that goes on with work alone, and never back. */
let workClock = 1e9;

/** By name: what is begun, and how one input goes through it. */
const PAIRS = {
  ...(await checkPairs(load)),
  ...(await transferPairs(load, finite)),
  handshake: ({ offers, chances }) => {
    let thrown = 0;
    const chance = () => chances[thrown++ % chances.length];
    const core = new Handshake({ offers, chance });
    return ([input, now]) => {
      if (input?.kind === "signalCame") input = { ...input, signal: decodeSignal(JSON.parse(input.raw)) };
      const told = tell(input === null ? core.tick(now) : core.handle(input, now));
      return [told, core.phase, core.attempt, core.isOurs, finite(core.due)];
    };
  },
  impossible: () => ([offers, ...inputs]) => {
    const core = new Handshake({ offers, chance: () => 0 });
    try {
      for (const input of inputs) core.handle(input, 0);
    } catch (error) {
      return error.constructor === Error ? "refused" : String(error);
    }
    return "taken";
  },
  line: () => {
    let line = new Line();
    return ([method, ...given]) => {
      if (method === "another") line = new Line(...given); // a channel of its own
      const outputs = method === "another" ? [] : tell(line[method](...given));
      return [outputs, finite(line.due), line.isOneWay];
    };
  },
  early: () => {
    const early = new Early();
    const short = ({ data, at }) => [[...data].length, at];
    return ([text, at]) => (text === "opened" ? early.opened() : early.come(text, at)).map(short);
  },
  sessions: ({ starts }) => {
    const sessions = new Sessions(starts);
    let asked = null;
    return ([method, ...given]) => {
      switch (method) {
        case "started":
          return tell(sessions.started(decodeEvent(JSON.stringify({ event: "session_started", data: given[0] })).data));
        case "speaks":
          return tell(sessions.speaks(...given));
        case "sayAgain":
          return tell(sessions.sayAgain());
        case "over":
          return sessions.untold.over(...given) ?? null;
        case "told":
          return sessions.untold.forget(...given) ?? null;
        case "hears":
        case "lastWith":
          return sessions.known[method](...given);
        case "overUnnamed":
          return sessions.early.over(...given) ?? null;
        case "went":
          return sessions.early.speaks(...given, []) ?? null;
        case "refused":
          return asked === null ? [] : tell(sessions.refused(asked, ...given));
        case "ask":
        case "takeUpNext":
          asked = sessions[method](...given);
          return asked && [asked.clientId, asked.sessionId, asked.takesUp, asked.ref];
        default:
          return sessions[method](...given) ?? null;
      }
    };
  },
  routes: ({ starts }) => playRoutes(starts),
  obstacles: () => ([what, ...given]) => {
    if (what === "words") {
      const { text, hint } = describeObstacle(given[0]);
      return [text, hint, describeServer(given[0])];
    }
    return obstacles[what](...given);
  },
  asksAnew: () => (given) => asksAnew(...given),
  keepalive: () => {
    const keepalive = new Keepalive();
    return ([method, ...given]) => {
      const outputs = keepalive[method](...given) ?? [];
      return [outputs.map(({ kind, id }) => id ?? kind), finite(keepalive.due)];
    };
  },
  heartbeat: () => {
    let heart = new Heartbeat();
    return ([method, ...given]) => {
      if (method === "another") heart = new Heartbeat(); // a channel of its own
      const outputs = method === "another" ? [] : tell(heart[method](...given));
      const sent = [0, 1, 3, 9, "1"].map((id) => heart.hasSent(id));
      return [outputs, heart.health, heart.isOneWay(given.at(-1)), finite(heart.due), sent];
    };
  },
  presenter: (before) => {
    const presenter = new Presenter({ lastSentAt: 0, ...before });
    return ([method, ...given]) => {
      if (method === "received") {
        const message = decodeMessage(given[0]);
        return [message === null ? [] : tell(presenter.received(message, given[1])), presenter.isSeen];
      }
      const run = () => {
        const found = presenter[method](...given);
        return tell(method === "show" ? found.outputs : (found ?? []));
      };
      const outputs = orRefused(run, RangeError);
      return [typeof outputs === "string" ? "refused" : outputs, presenter.isSeen];
    };
  },
  fetching: ({ chances }) => {
    let thrown = 0;
    const downloads = new Downloads((failures) => pauseAfter(failures, chances[thrown++ % chances.length]));
    return ([method, ...given]) => {
      const outputs = tell(downloads[method](...given));
      return [outputs, finite(downloads.due), downloads.coming];
    };
  },
  follower: () => {
    let follower = new Follower();
    return ([method, ...given]) => {
      switch (method) {
        case "another":
          follower = new Follower(...given);
          return [];
        case "received": {
          const { isNew, ack } = follower.received(...given);
          return [...(isNew ? [["new", given[0].sentAt]] : []), ack];
        }
        case "reached": {
          const [image, stage, at, reason, onset, exposed] = given;
          const told = { at, reason: reason ?? undefined, onset: onset ?? undefined, ...exposed };
          return [follower.reached(image, stage, told) ?? "not said"];
        }
        case "identified":
          return [follower.identified(...given) ?? "not said"];
        case "acknowledged":
          follower.acknowledged(...given);
          return [];
        case "displayed":
          return [follower.displayed(...given)];
        default:
          return follower[method](...given);
      }
    };
  },
  onsets: () => {
    const onsets = new Onsets();
    return ([method, ...given]) => {
      const told = onsets[method](...given) ?? [];
      return [told.map(({ id, at, timing, within }) => [id, at, timing, within]), finite(onsets.due)];
    };
  },
  exposure: ({ asked, at }) => {
    const exposure = new Exposure(asked, at);
    return ([method, ...given]) => exposure[method](...given);
  },
  lags: () => {
    const lags = new Lags();
    return (given) => (Array.isArray(given) ? lags.lateOf(...given.slice(1)) : lags.add(given));
  },
  belowFrame: () => (given) => isBelowFrame(...given),
  refresh: () => {
    const refresh = new Refresh();
    return ([method, ...given]) => {
      refresh[method](...given);
      return refresh.interval;
    };
  },
  answered: () => {
    const answers = new Answers();
    return ([method, ...given]) => {
      const outputs = answers[method](...given);
      return Array.isArray(outputs) ? outputs.map(({ kind, said }) => said ?? kind) : (outputs ?? []);
    };
  },
  plainKeys: () => plainKey,
  anyKeys: () => isAnyKey,
  placesOnPictures: () => (given) => placeOnPicture(...given),
  agents: () => (given) => describeAgent(...given),
  zooms: () => (given) => zoomOf(...given),
  choose: () => (sizes) => choose(Object.keys(sizes), (key) => sizes[key]).size,
  turns: () => {
    const turns = new Turns();
    return ([method, ...given]) => turns[method](...given);
  },
  clocks: () => {
    const clocks = new ClockOffset();
    return ([method, ...given]) => {
      if (method === "add") {
        const [t0, t1, t2, t3] = given;
        return clocks.add({ t0, t1, t2, t3 });
      }
      return clocks[method](...given) ?? null;
    };
  },
  measurements: () => {
    const measurements = new Measurements();
    return ([method, ...given]) => {
      if (method === "ponged") {
        const [t0, t1, t2, t3] = given;
        return measurements.ponged({ t0, t1, t2, t3 });
      }
      return measurements[method](...given) ?? null;
    };
  },
  sessionJournal: () => {
    let written = [];
    const write = (at, event, fields) => written.push({ at, event, ...fields });
    let extra = null;
    const journal = new SessionJournal("s", write, () => ({ extra, own: null, picture: null }));
    return ([method, ...given]) => {
      written = [];
      if (method === "sent") extra = given.pop();
      const returned = journal[method](...given);
      return [written, method === "acked" ? returned : null];
    };
  },
  // As a console's session writes them down: what the record has of pictures by then.
  pictureLines: () => {
    const journal = new Journal([]);
    const add = journal.add.bind(journal);
    const writer = new SessionJournal("s", add, (sentAt) => journal.rows.get(sentAt));
    return ([method, ...given]) => {
      writer[method](...given);
      const lines = journal.events.filter(({ event }) => event === "picture");
      return lines.map(({ sentAt, sha256, width }) => [sentAt, sha256, width]);
    };
  },
  candidates: () => ([text, tcp]) => {
    const { line, problem } = parseCandidate(text, tcp);
    return [problem === "" ? line : null, problem];
  },
  reduced: () => (offer) => reduceOffer(offer).sdp,
  readable: () => (sdp) => parseDescription(sdp).sdp,
  frames: () => ([offer, answer]) => reduceOffer(offer).frame(answer),
  descriptions: () => (sdp) => {
    const { sdp: kept, ufrag, mid, index } = parseDescription(sdp);
    return [/^a=max-message-size:(.*)$/m.exec(kept)?.[1].trim() ?? null, ufrag, mid, index];
  },
  inits: () => (sdp) => /^a=sctp-init:(.*)$/m.exec(parseDescription(sdp).sdp)?.[1].trim() ?? null,
  pauses: () => ([failures, chance]) => pauseAfter(failures, chance),
  flooding: () => (count) => {
    const route = new Route({}, {});
    for (let number = 0; number < count; number += 1) route.put({ kind: "peerCame" });
    const heard = [];
    route.listen((input) => heard.push(input));
    return heard;
  },
  passing: () => (code) => new RelayError(code, "").mayPass,
  troubles: () => ([code, message]) => console_.describeTrouble(code, message),
  plain: () => (detail) => plain(detail),
  lastWords: () => ([reason, detail, offers]) => lastWords("s", { reason, detail }, offers),
  ends: () => ([page, reason, detail, wasConnected]) => {
    const said = (page === "client" ? client : console_).describeEnd(reason, detail, wasConnected);
    return typeof said === "string" ? said : `${said.text} ${said.hint}`;
  },
  announcements: () => {
    const known = new Announcements();
    return ([count, current]) => known.next(count, current);
  },
  // A series whose manifest is read again; each answer comes when the script says so.
  selection: ({ images }) => {
    let answer = () => {};
    let read = null;
    globalThis.fetch = () => new Promise((resolve) => (answer = (text) => resolve(new Response(text))));
    const shown = [];
    const presentation = { show: (series, index) => shown.push(series[index].signedUrl) };
    const selection = new Selection({
      changed: (series, isNew) => isNew || (selection.isRenewed && selection.show(presentation)),
      complain: (why) => shown.push(why),
    });
    selection.load({ images, name: "m.json", source: "http://h/m.json" }, null, false);
    return async ([what, given]) => {
      if (what === "show" && selection.choose(given) !== null) selection.show(presentation);
      if (what === "failed") read = selection.imageFailed(given);
      if (what === "read") {
        answer(JSON.stringify(given));
        await read;
      }
      return shown.splice(0);
    };
  },
  renewal: () => {
    const renewal = new Renewal();
    return ([reason, now]) => renewal.failed(reason, now);
  },
  preload: () => ([images, limit]) =>
    orRefused(() => splitPreload(images, limit).map(({ images: group }) => group.length), RangeError),
  messages: () => (text) => decodeMessage(text),
  encoded: () => (message) => encodeMessage(message),
  events: () => (text) => decodeEvent(text),
  signals: () => (value) => decodeSignal(value),
  pictures: ({ files }) => {
    const bases = files.map((text) => Buffer.from(text, "base64"));
    return ([file, cut, at, bits, tail, size]) => {
      const bytes = Buffer.concat([bases[file].subarray(0, cut), Buffer.from(tail, "latin1")]);
      if (at !== null) bytes[at] ^= bits;
      const check = new Inspection();
      const told = [];
      for (let start = 0; start < bytes.length; start += size) {
        told.push(check.feed(new Uint8Array(bytes.subarray(start, start + size))));
      }
      const { kind, reason } = check.end();
      const facts = kind === null ? null : check.facts;
      return [kind?.name ?? null, reason, told.findIndex((known) => known !== null), facts];
    };
  },
  folders: () => (names) => [
    inNaturalOrder(names, (name) => name),
    names.map((name) => [isOfSystem(name), isNamedAsPicture(name)]),
  ],
  hashes: () => (parts) => {
    const hash = new Sha256();
    for (const part of parts) hash.update(new Uint8Array(Buffer.from(part, "base64")));
    return hash.digest();
  },
  // What is looked at in one turn is a group; each part takes so long.
  inTurns: () => async ([sizes, cost]) => {
    const { now } = performance;
    let turn = 0;
    let isOver = false;
    const beat = () => void (isOver || ((turn += 1), setImmediate(beat)));
    setImmediate(beat);
    performance.now = () => workClock;
    const groups = new Map();
    try {
      for (const size of sizes) {
        for await (const part of inTurns(new Uint8Array(size))) {
          groups.set(turn, [...(groups.get(turn) ?? []), part.length]);
          workClock += cost;
        }
      }
    } finally {
      performance.now = now;
      isOver = true;
    }
    return [...groups.values()];
  },
  warnings: () => (given) => warningsOf(...given),
  lengths: () => (given) => lengthOf(...given),
  screenNeeds: () => (trials) => screenNeedsOf(trials),
  drawings: () => (given) => drawnOf(...given),
  calibrations: () => ([kept, screen, perCss]) => calibrationOn(readKept(kept), screen, perCss),
  kept: () => (value) => readKept(value) !== null,
  screens: () => (given) => isSameScreen(...given),
  distances: () => (lengths) => distanceOf(lengths),
  running: ({ trial, spoken, now }) => {
    const entry = new Entry(trial, spoken, now);
    return ([method, ...given]) => {
      const isOver = method === "begun" ? entry.isOver : entry[method](...given);
      return [isOver, entry.due === Infinity ? null : entry.due];
    };
  },
  endsByItself: () => (trial) => endsByItself(trial ?? undefined),
  needs: () => (trials) => needsOf(trials.map((trial) => trial ?? undefined)),
  others: () => () => [...OTHERS.values()],
  answers: () => ([status, range]) => refusalOf(status, range),
  keys: () => (image) => imageKey(image),
  names: () => (key) => nameInKey(key),
  conflicts: () => (images) => firstConflict(images),
  newest: () => ([image, images]) => newestUrl(image, images),
  iceUrls: () => (text) => orRefused(() => formatIceUrl(parseIceUrl(text)), IceUrlError),
  // How a wrong URL is quoted is each language's own.
  iceChoices: () => (servers) => {
    const { asked, leftOut } = chooseIce(servers);
    return [asked, leftOut.map(({ url, ...left }) => [left.isWrong ? null : url, left.why, left.isWrong, left.isTurn])];
  },
  publicUrls: () => (text) => publicUrl(text),
  urls: () => (text) => isWebUrl(text),
  links: () => ([page, who]) => makeLink(page, who),
  arrivals: () => {
    const arrivals = new Arrivals();
    return ([online, at]) => {
      const clients = Object.entries(online).map(([userId, state]) => [userId, { userId, state, features: [] }]);
      return arrivals.present(new Map(clients), at).map(({ userId }) => userId);
    };
  },
  fetches: () => (text) =>
    openTransfer(text, { offset: 0, mark: null, isUrgent: true }, new AbortController().signal).catch(
      (error) => [error.constructor.name, error.message],
    ),
  refusals: () => (given) => describeRefusal(...given),
  manifests: () => (text) => orRefused(() => parseManifest(text, "M").images, BadManifest),
  studies: () => ([text, again]) => orRefused(() => parseManifest(text, "M", again), BadManifest),
  filesNamed: () => (text) => orRefused(() => parseNames(text, "M"), BadManifest),
  csv: () => (rows) => [formatCsv(rows), parseCsv(formatCsv(rows))],
  downloads: () => download,
  fates: () => (events) => {
    const journal = new Journal([]);
    for (const { at, event, ...fields } of events) journal.add(at, event, fields);
    return [...journal.rows.values()].map(({ fate, failed, detail }) => [fate, failed, detail]);
  },
  identities: () => (events) => {
    const journal = new Journal([]);
    for (const { at, event, ...fields } of events) journal.add(at, event, fields);
    return [...journal.rows.values()].map(({ picture, isOther, ...row }) => [
      picture && console_.describePicture(picture),
      isOther,
      console_.describeFate({ isOther, ...row }, "open"),
    ]);
  },
  columns: () => () => COLUMNS,
  fields: () => () => Object.fromEntries(fieldsOf),
  isKnown: () => (event) => recognize(event) !== null,
  thousandths: () => thousandths,
  iso: () => iso,
};

for await (const line of createInterface({ input: process.stdin })) {
  const { pair, start, inputs } = JSON.parse(line);
  const step = PAIRS[pair](start ?? {});
  const outputs = [];
  for (const input of inputs) outputs.push((await step(input)) ?? null);
  process.stdout.write(JSON.stringify(outputs) + "\n");
}
// What a page waits for, such as the deadline of a request, is nothing to wait for here.
process.exit();

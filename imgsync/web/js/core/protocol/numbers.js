/**
 * What all peers must agree on, or both of our languages decide by. It is made of
 * core/protocol/numbers.py: change it there. Times are in seconds where nothing else is said.
 */

/** The name of the one channel. */
export const CHANNEL_LABEL = "image-sync";

/** Bytes of one message. A larger one is refused by its sender, and by the receiver too. */
export const MAX_CHANNEL_MESSAGE = 65536;

/**
 * Bytes of a message that our descriptions allow in `a=max-message-size`. One that is longer ends
 * the connection, before all of it is here.
 */
export const MAX_MESSAGE_SIZE = 262144;

/** Bytes of an image's two URLs, as a message has them: what is around them has room beside them. */
export const MAX_URLS = 65280;

/** Bytes that a preload stays under, so that no image waits long behind it. */
export const MAX_PRELOAD = 16384;

/**
 * Bytes that may wait to be sent; above that, what can wait is kept back: copies
 * of the current image that somebody asks for, and preloads.
 */
export const MAX_UNSENT = 65536;

/** When so few are left, it goes on. */
export const DRAINED = 16384;

/**
 * Bytes that may wait to be sent in all: as many as Chromium takes. Who lets more wait takes
 * nothing, and its connection is given up.
 */
export const MAX_BUFFERED = 16777216;

/** The same in messages, each of which costs more than its bytes. */
export const MAX_BUFFERED_MESSAGES = 16384;

/** Images that the client is told of before they are shown: about 20 kB on the channel. */
export const AHEAD = 50;

/** What `ready.features` says of who answers pings, and is judged by it. */
export const FEATURE_PING = "ping";

/** What it says of who tells what becomes of the images. */
export const FEATURE_STAGE = "stage";

/** What it says of who wants to know what will be shown soon. */
export const FEATURE_PRELOAD = "preload";

/** What it says of who tells how many of them are there. */
export const FEATURE_PRELOADED = "preloaded";

/** What it says of who takes pictures over the connection itself, on a channel of their own. */
export const FEATURE_PICTURES = "pictures";

/** What it says of who shows an image for as long as is asked, and then takes it away by itself. */
export const FEATURE_EXPOSURE = "exposure";

/** What it says of who tells how its participant answers. */
export const FEATURE_RESPONSE = "response";

/** What it says of who can show a text in place of an image. */
export const FEATURE_TEXT = "text";

/** What it says of who shows an image in the size that is asked, where it knows its screen. */
export const FEATURE_SIZE = "size";

/**
 * What all our clients speak. Who has a place for pictures that come over the connection names
 * that beside these.
 */
export const FEATURES = ["ping", "stage", "preload", "preloaded"];

/**
 * What `register.features` says of a client that takes an offer right behind `session_started`, and
 * `registered.features` of a relay that passes it on by the `ref` of its start.
 */
export const FEATURE_EARLY_OFFER = "early_offer";

/**
 * What `register.features` says of who wants to be told new credentials in time. It concerns the
 * relay alone, which does not pass it on.
 */
export const FEATURE_ICE_SERVERS = "ice_servers";

/**
 * What `register.features` says of an evaluator that takes many changes of clients in one frame. It
 * concerns the relay alone.
 */
export const FEATURE_PRESENCES = "presences";

/**
 * What it says of an evaluator that knows clients that wait before their door; others see them as
 * busy. It concerns the relay alone.
 */
export const FEATURE_WAITING = "waiting";

/**
 * Seconds in which the relay gathers changes of clients, to tell them together: nobody sees that an
 * entry of a list is so much later.
 */
export const PRESENCE_GATHER = 0.05;

/** The reason of what fails, or is not acked, because another image took its place. */
export const SUPERSEDED = "superseded";

/**
 * That of what was announced before so many others that it is fetched when it is shown; or of what
 * was shown before so many others that are still to be fetched.
 */
export const CROWDED_OUT = "crowded_out";

/**
 * Of these, that a peer may name when it registers: there are twelve. All evaluators are told them
 * at each change of a client.
 */
export const MAX_FEATURES = 16;

/**
 * Characters of each. Together they are no more than half a kB of the 8 kB of a `register`, most of
 * which is for its token.
 */
export const MAX_FEATURE = 32;

/** Seconds after the first `ready` at which a client says it again, until it is pinged. */
export const READY_AGAIN = [0.5, 1, 2, 4];

/** Reasons of what may be a URL whose time is over: most hosts say 403, Google's 400. */
export const EXPIRY_REASONS = ["http_400", "http_401", "http_403", "http_410"];

/** Between two readings of a manifest for such a reason. */
export const RENEWAL_PAUSE = 30;

/**
 * The reason of what happens because nobody looks at the page. What failed for it may be shown yet:
 * the page may be looked at again.
 */
export const HIDDEN_TAB = "hidden_tab";

/** The reason of what is hidden because it was up for as long as was asked. */
export const EXPOSURE_OVER = "exposure_over";

/** The reason of what is hidden because it was to be up until the first answer. */
export const ANSWERED = "answered";

/** The reason of what is hidden because it has another size on the screen; `shown` follows. */
export const RESIZED = "resized";

/** The same because the page was zoomed. */
export const ZOOMED = "zoomed";

/**
 * Why an image is fitted to the window although a size was asked: nobody knows how large the screen
 * is;
 */
export const NOT_CALIBRATED = "not_calibrated";

/** or a visual angle was asked, and nobody knows from how far away it is seen; */
export const NO_DISTANCE = "no_distance";

/** or the window is smaller than the image would be. */
export const NO_ROOM = "no_room";

/** Characters of a user's or a session's id, and of a name. */
export const MAX_ID = 128;

/** Characters of the name that an evaluator gives one of its questions. */
export const MAX_REF = 64;

/** Characters of the reason of a stage. */
export const MAX_REASON = 128;

/** Characters of what is said of an end beside its reason. */
export const MAX_DETAIL = 200;

/**
 * Of those above, on average at most, in UTF-8: as many as all scripts of today have that are in
 * everyday use. Four have emoji and old scripts; a text of nothing else is shorter by a quarter.
 */
export const BYTES_PER_CHARACTER = 3;

/** Characters of a word in that. What is longer may be a credential, and is left out. */
export const MAX_WORD = 20;

/** Whole numbers up to here are the same in every language; RFC 8259, section 6. */
export const MAX_NUMBER = 9007199254740991;

/**
 * Milliseconds, about a microsecond: by so much one `sentAt` is at least later than the one before,
 * as it names a showing.
 */
export const TICK = 0.0009765625;

/** By so much of itself any number differs from the next one, in doubles. */
export const EPSILON = 2.220446049250313e-16;

/** Images that may wait for their ack. A peer that acks nothing must not make us grow. */
export const MAX_UNACKED = 256;

/** Images, acked or superseded, whose stages are listened for. */
export const MAX_SETTLED = 256;

/**
 * Stages that a client says again on a new channel: those of more images than can be under way when
 * a connection goes silent. An evaluator listens to so many of one showing.
 */
export const MAX_STAGES = 256;

/**
 * Pictures whose identity a client says again on a new channel. The record has most by then, and
 * with the stages they fit into what is kept from before a channel is open.
 */
export const MAX_IDENTITIES = 64;

/**
 * For a client to say that its last image is hidden, once it knows from the relay that the session
 * ends, before its evaluator closes the channel.
 */
export const LAST_WORDS_DEADLINE = 1;

/** Changes of the recording of a participant that an evaluator listens to in one session. */
export const MAX_RECORDINGS = 1000;

/** Answers to one showing that a client tells, and an evaluator hears; of more, that there are. */
export const MAX_RESPONSES = 256;

/** Answers without an acknowledgement, which a client tells again on a new channel. */
export const MAX_RESPONSES_KEPT = 1024;

/** Changes of a client's screen that an evaluator listens to in one session. */
export const MAX_DISPLAYS = 100;

/**
 * Messages that are kept from before our side of a channel is open: as many as an honest client may
 * say by then;
 */
export const MAX_EARLY = 1536;

/** and characters of them together. */
export const MAX_EARLY_TEXT = 327680;

/** Characters of what an evaluator notes of an image. */
export const MAX_MARK = 1024;

/** Milliseconds that an image can be asked to be on the screen: an hour. */
export const MAX_SHOW_FOR = 3600000;

/** Refreshes of the screen, likewise: an hour at 240 Hz has fewer. */
export const MAX_EXPOSURE_FRAMES = 1000000;

/** Millimetres that the longer side of an image can be asked to have. */
export const MAX_SIZE_MM = 10000;

/** Degrees of visual angle, likewise; 180 would be a wall without an end. */
export const MAX_SIZE_DEG = 160;

/** Milliseconds that a study may show an image for: a refresh of the quickest screens, of 240 Hz. */
export const MIN_SHOW_FOR = 4;

/** What decides the order of a study is one of so many numbers, and 0. */
export const MAX_SEED = 4294967295;

/** Characters of the name of a study. */
export const MAX_STUDY_NAME = 128;

/** Faults of a study file that are told at a time. */
export const MAX_FAULTS = 20;

/** Keys that can be asked for as answers to one image. */
export const MAX_KEYS = 32;

/** Characters of the name of each. */
export const MAX_KEY = 32;

/**
 * Characters of a text that is shown in place of an image. As JSON in ASCII it has 24 kB at most,
 * and 36 where it is of emoji alone.
 */
export const MAX_SCREEN_TEXT = 4096;

/** Characters of an answer. */
export const MAX_VALUE = 128;

/** Hz of a screen on which a frame lasts as long as people think who count in frames; */
export const USUAL_REFRESH = 60;

/** and by how many one may differ from that: 59.94 Hz and what is measured badly are no other. */
export const REFRESH_TOLERANCE = 2;

/** Hz below which something holds the screen back: a battery saver, or a remote desktop. */
export const LOW_REFRESH = 50;

/** Of a page, which is known as a quotient of two rounded sizes. */
export const ZOOM_TOLERANCE = 0.01;

/**
 * Seconds that a clock may be off by. Tokens live for minutes at least, and people compare records
 * by the second; a clock that nobody keeps drifts by this much in a month (200 ppm would be half a
 * minute in two days).
 */
export const MAX_CLOCK_OFFSET = 10;

/** The name of the channel on which pictures are sent, beside the one of the talk. */
export const DATA_LABEL = "image-data";

/** Bytes of one of its messages that is text: a reference to a picture has a file's name in it. */
export const MAX_DATA_TEXT = 16384;

/** Pictures that a client may have asked for and not acknowledged to the end; ours ask for two. */
export const MAX_WANTS = 16;

/** Bytes of a picture in one message: of more, others on the connection would wait too long. */
export const LARGE_CHUNK = 16384;

/**
 * The same where the window is below LARGE_CHUNKS_FROM: nothing overtakes a chunk, and on a line of
 * 2 Mbit/s one of these takes 16 ms.
 */
export const SMALL_CHUNK = 4096;

/** Bytes of a window in which chunks are large, as those cost less work. */
export const LARGE_CHUNKS_FROM = 32768;

/** Bytes that may be on their way unacknowledged where all that is on the way is delayed; */
export const SMALLEST_WINDOW = 8192;

/** and where nothing is: 5 MB a second where there and back take 100 ms. */
export const LARGEST_WINDOW = 524288;

/**
 * Bytes that are divided where pictures are sent to several at a time: all of them wait for one
 * processor, and what is said beside them waits as long.
 */
export const SHARED_WINDOW = 262144;

/**
 * Bytes that may wait somewhere on the way, so that a narrow line is kept busy: at 2 Mbit/s they
 * take 50 ms.
 */
export const STANDING_QUEUE = 12288;

/** Seconds of a round trip in which a window grows by so much, where nothing has to wait. */
export const GROWTH_PERIOD = 0.03;

/** By so much acknowledgements may be late without a queue: the other side was busy; */
export const FREE_DELAY = 0.004;

/**
 * and, once a window has found its size, by this part of the least time there was: on a long way
 * that is less than anybody would notice, and what else goes on there varies by as much.
 */
export const FREE_PART = 0.125;

/**
 * Chunks whose times are remembered until they are acknowledged: twice as many as there are in a
 * full window of small ones.
 */
export const MAX_SAMPLES = 128;

/** Bytes of a picture that are read at a time, when a quarter of as many are left to be sent. */
export const READ_BLOCK = 262144;

/** The same where so many pictures are sent at a time that their blocks would be much together. */
export const SMALLEST_BLOCK = 32768;

/** Why a picture that is asked for is not sent: nothing of this name was shown or announced; */
export const NOT_OFFERED = "not_offered";

/** it has no such byte; */
export const BAD_OFFSET = "bad_offset";

/** over MAX_WANTS were asked for; */
export const TOO_MANY = "too_many";

/** the question can't be understood; */
export const BAD_MESSAGE = "bad_message";

/** its file is another one by now; */
export const CHANGED = "changed";

/** its file is gone, or can't be read. */
export const UNREADABLE = "unreadable";

/** The reason of what fails because other bytes have come than were announced. */
export const BAD_HASH = "bad_hash";

/** Between two looks whether the other end of a WebSocket is still there. */
export const KEEPALIVE_INTERVAL = 15;

/** For the answer to one. */
export const PONG_DEADLINE = 10;

/**
 * What `registered.features` says of a relay: it answers pings, and is judged by that; it passes on
 * an offer that comes right behind its `start_session`.
 */
export const RELAY_FEATURES = ["ping", "early_offer"];

/** Between two pings. */
export const PING_INTERVAL = 2;

/** Without a pong, until the other side is suspected. */
export const SUSPECT_AFTER = 4;

/** Without a pong, until the connection is given up. */
export const LOST_AFTER = 8;

/**
 * So many pings are sent quickly at first: the quickest of them decides how well the two clocks can
 * be compared, and half a second of them meets a network in more than one mood.
 */
export const PING_BURST = 8;

/** Between two of those. */
export const PING_BURST_INTERVAL = 0.0625;

/**
 * A timer that is so much late was asleep itself (a closed lid, a stopped process, a hidden tab),
 * and can't hold that time against the other side.
 */
export const SLEPT = 1;

/**
 * Of one clock against another. The fastest of slews are by 5,000 ppm (adjtime of BSD and macOS),
 * and nothing that runs by itself is as far off; what moves faster counts as a clock that is set.
 */
export const MAX_DRIFT = 0.006;

/**
 * What a clock that nobody slews may run off, or off another way than before. Crystals of computers
 * and phones are sold to within 100 ppm, and are better by far.
 */
export const STEADY_DRIFT = 0.0001;

/**
 * By so much, from one moment to the next, a clock may run off besides what was seen: NTP and
 * adjtime slew by as much (RFC 5905).
 */
export const SLEWED = 0.0005;

/** Milliseconds. By so much more a clock has to have moved than it should have to be told as set. */
export const SLEW = 4;

/**
 * Milliseconds, as are those below. How a clock runs is looked at in stretches of this length, so
 * that slews add up and what is steady does not.
 */
export const SLEW_SPAN = 60000;

/**
 * Milliseconds that a clock is off by at most if it tells fractions, as browsers do by default in a
 * page that is not isolated (100 us, High Resolution Time, section 7).
 */
export const RESOLUTION = 0.1;

/**
 * The same for one that tells whole milliseconds, as some browsers do, and programs that have no
 * better clock.
 */
export const COARSE = 1;

/**
 * Probes are kept for so long: what is longer ago says little of how a clock runs now, and is too
 * old to narrow a bound.
 */
export const PROBE_SPAN = 30000;

/** So many are kept however old they are, as pings can be lost, and a line be down. */
export const PROBES_AT_LEAST = 8;

/** Of probes that come within so long only the best is kept; pings of a burst are further apart. */
export const SHORTEST_CELL = 50;

/** The same once there have been probes for long; PROBE_SPAN has fifteen of these cells. */
export const LONGEST_CELL = 2000;

/** In between, a cell is as long as the time since the first probe, divided by this. */
export const CELLS_OF_ALL = 8;

/** Milliseconds. What would narrow the bound of its cell by no more is not looked at closer. */
export const NO_NEWS = 0.01;

/**
 * For each attempt of the evaluator's. A candidate may have been lost on its way, or the network is
 * another one by now; the next attempt tells of all candidates anew.
 */
export const ATTEMPT_DEADLINE = 10;

/**
 * For the other side's word, before an offer is followed by another one: a signal can be lost. Then
 * for the next one, and longer, as an answer that is late fits no later offer. What is left of
 * CONNECT_DEADLINE after these is one whole attempt.
 */
export const ANSWER_DEADLINES = [4, 6];

/**
 * For the first connection. ICE itself gives up only after a minute, or, where the other side never
 * says that its candidates are complete, not at all.
 */
export const CONNECT_DEADLINE = 20;

/**
 * From an interruption to giving the session up: longer than a relay waits for who is away, so that
 * it is the relay's word that counts while there is one.
 */
export const REPAIR_DEADLINE = 180;

/** Who closes the connection and is still at the relay so much later has left. */
export const ABSENCE_DEADLINE = 2;

/**
 * For another window to claim a session that the relay has forgotten and has from the evaluator
 * anew. By then it has tried to register again, as no pause in between is over MAX_BACKOFF.
 */
export const CLAIM_PAUSE = 8;

/**
 * That a window which nobody looks at leaves to one that somebody does, before it takes part in a
 * session that has no owner yet. Shorter than the evaluator waits for an answer.
 */
export const HEAD_START = 2;

/**
 * By so much sooner a client that knows what is in the way ends what never connected. So it is told
 * to the evaluator, who would end it then, and may know something, too.
 */
export const EXPLAIN_FIRST = 0.5;

/**
 * Attempts that the other side asks for, without a connection or a pause of ours in between. Each
 * costs a key pair and sockets.
 */
export const MAX_ASKED = 8;

/** Of one attempt, their end included; the limit on checks in RFC 8445, section 19.5.1. */
export const MAX_CANDIDATES = 100;

/** What the relay says of a session may wait so often until it begins; only a flood fills this. */
export const MAX_INPUTS = 256;

/** Characters. A data channel's takes 1 kB, with a hundred candidates 12 kB. */
export const MAX_SDP = 32768;

/**
 * Of a frame and of its `data` together. Ours have nine at most, and each costs more to read than
 * all that may stand in it.
 */
export const MAX_MEMBERS = 32;

/** What `register` says of how the two speak to each other. There is no other way. */
export const PACKAGE = "webrtc";

/** Where the relay names no ICE servers. */
export const DEFAULT_STUN = "stun:stun.l.google.com:19302";

/**
 * Of TURN servers that are asked, beside one STUN server: UDP, TCP and TLS, and one in reserve.
 * Chromium and Firefox warn of longer lists, as they make looking for a way slow.
 */
export const MAX_TURN_SERVERS = 4;

/**
 * TURN credentials that are younger were refused for another reason than their age, so that nobody
 * registers again for new ones.
 */
export const REFUSED_AGAIN = 60;

/** Bytes of a user name at a TURN server, over which browsers throw; RFC 8489, section 14.3. */
export const MAX_TURN_USERNAME = 509;

/** Characters of a name that can be looked up; RFC 1035, section 2.3.4, without the lengths. */
export const MAX_HOST_NAME = 253;

/** Ports at which Firefox throws for an ICE server: "bad ports" of the Fetch standard, but 53. */
export const BLOCKED_PORTS = [1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080];

/** From the first packet to `registered`. */
export const REGISTER_DEADLINE = 10;

/** For the answer to `start_session`. */
export const START_DEADLINE = 10;

/**
 * For a sign of life from the relay. A network that changed has cut both ways of a peer at once:
 * the relay is known as lost by the time the connection to the other side is.
 */
export const PROBE_DEADLINE = 4;

/** At most, before the second try to reach the relay; twice as much before each one after it. */
export const FIRST_BACKOFF = 0.3;

/** At most, before any later one. */
export const MAX_BACKOFF = 7;

/** Sessions that may wait for a client to take them; it can be in one only. */
export const MAX_INCOMING = 16;

/**
 * Sessions whose end the relay is still to be told of. It does not ask about one that it has ended
 * by itself meanwhile, so that nothing else would ever remove that.
 */
export const MAX_UNTOLD = 1000;

/** At most, until what a relay answered by `unavailable` is said again; half of it at least. */
export const AGAIN_PAUSE = 2;

/**
 * Without a byte of an image, until a try to fetch it is given up. As long as bytes come, it may
 * take any time: a slow line is no fault.
 */
export const FETCH_STALL = 10;

/** The same where nobody can see bytes come: a host may not let pages read what it answers. */
export const FETCH_UNSEEN = 120;

/** In a row, for what may be over in a moment: nobody listens, the server is overloaded. */
export const FETCH_TRIES = 3;

/** Bytes by which a try that fails has to get further than any before it, not to count. */
export const FETCH_PROGRESS = 65536;

/** Bytes of one image. */
export const MAX_IMAGE = 67108864;

/**
 * Bytes of all images that a client has fetched and keeps. What is under way when they are full is
 * still fetched, and what is to be shown at once.
 */
export const MAX_KEPT = 268435456;

/**
 * What browsers show: names, media types, and how names of files end. Content alone decides what
 * something is; the ends of names decide which files of a folder are meant to be shown.
 */
export const PICTURE_KINDS = [["png", "image/png", ["png", "apng"]], ["jpg", "image/jpeg", ["jpg", "jpeg", "jpe", "jfif", "pjpeg", "pjp"]], ["gif", "image/gif", ["gif"]], ["webp", "image/webp", ["webp"]], ["avif", "image/avif", ["avif", "avifs"]], ["bmp", "image/bmp", ["bmp"]], ["svg", "image/svg+xml", ["svg"]]];

/**
 * Where, by which bytes, each as a character, and under which media type what is no picture that
 * browsers show is known. The first that fits. `core.pictures.others` says what to do about each.
 */
export const OTHER_SIGNATURES = [[8, "CR\u0002\u0000", "image/x-canon-cr2"], [0, "II*\u0000", "image/tiff"], [0, "MM\u0000*", "image/tiff"], [0, "II+\u0000", "image/tiff"], [0, "MM\u0000+", "image/tiff"], [0, "FUJIFILMCCD-RAW", "image/x-fuji-raf"], [0, "IIRO", "image/x-olympus-orf"], [0, "IIRS", "image/x-olympus-orf"], [0, "MMOR", "image/x-olympus-orf"], [0, "IIU\u0000", "image/x-panasonic-rw2"], [0, "FOVb", "image/x-sigma-x3f"], [0, "\u00ff\n", "image/jxl"], [4, "JXL \r\n\u0087\n", "image/jxl"], [4, "jP  \r\n\u0087\n", "image/jp2"], [0, "\u00ffO\u00ffQ", "image/j2c"], [0, "II\u00bc\u0001", "image/jxr"], [128, "DICM", "application/dicom"], [0, "\u0002\u0000\u0000\u0000UL\u0004\u0000", "application/dicom"], [0, "\b\u0000\u0005\u0000CS", "application/dicom"], [344, "n+1\u0000", "application/x-nifti"], [344, "ni1\u0000", "application/x-nifti"], [4, "n+2\u0000\r\n\u001a\n", "application/x-nifti"], [4, "ni2\u0000\r\n\u001a\n", "application/x-nifti"], [0, "NRRD000", "application/x-nrrd"], [0, "\u0089HDF\r\n\u001a\n", "application/x-hdf5"], [0, "CDF\u0001", "application/x-hdf5"], [0, "SIMPLE  = ", "image/fits"], [0, "ZISRAWFILE", "image/x-czi"], [0, "\u0000\u0000\u0001\u0000", "image/vnd.microsoft.icon"], [0, "8BPS", "image/vnd.adobe.photoshop"], [0, "gimp xcf", "image/x-xcf"], [0, "v/1\u0001", "image/x-exr"], [0, "#?RADIANCE", "image/vnd.radiance"], [0, "P1\n", "image/x-portable-anymap"], [0, "P2\n", "image/x-portable-anymap"], [0, "P3\n", "image/x-portable-anymap"], [0, "P4\n", "image/x-portable-anymap"], [0, "P5\n", "image/x-portable-anymap"], [0, "P6\n", "image/x-portable-anymap"], [0, "P7\n", "image/x-portable-anymap"], [0, "AT&TFORM", "image/vnd.djvu"], [0, "%PDF-", "application/pdf"], [0, "%!PS", "application/postscript"], [0, "\u00c5\u00d0\u00d3\u00c6", "application/postscript"], [0, "\u00d0\u00cf\u0011\u00e0\u00a1\u00b1\u001a\u00e1", "application/x-ole-storage"], [0, "\u001f\u008b", "application/gzip"], [0, "PK\u0003\u0004", "application/zip"], [0, "7z\u00bc\u00af'\u001c", "application/x-7z-compressed"], [0, "Rar!\u001a\u0007", "application/vnd.rar"], [0, "\u001aE\u00df\u00a3", "video/webm"], [8, "AVI LIST", "video/x-msvideo"], [0, "\u0000\u0000\u0001\u00ba", "video/mpeg"], [0, "\u0000\u0000\u0001\u00b3", "video/mpeg"], [0, "OggS", "video/ogg"], [0, "0&\u00b2u\u008ef\u00cf\u0011", "video/x-ms-wmv"], [0, "\u008aMNG\r\n\u001a\n", "video/x-mng"]];

/** Bytes that decide of which kind a picture is, unless an SVG begins with a longer comment. */
export const PICTURE_HEAD = 4096;

/** The reason of what fails because the end of the picture is missing. */
export const TRUNCATED = "truncated";

/** The reason of what fails because the picture is damaged, or browsers can't decode it. */
export const DECODE = "decode";

/** The reason of what fails because something else came, such as a page. */
export const NOT_AN_IMAGE = "not_an_image";

/** The same where it is known what came: this and the media type, such as `type_image/tiff`. */
export const OF_TYPE = "type_";

/**
 * Images that are fetched ahead at a time, while none is to be shown that is not there. Two keep a
 * line busy where one waits for its host's answer; more would all be late together.
 */
export const MAX_FETCHES = 2;

/**
 * From an announcement to the first try: one of its images is often to be shown at once, and what
 * was begun for another would be in its way on a slow line.
 */
export const PRELOAD_PAUSE = 0.05;

/** Images that may wait to be fetched ahead. */
export const MAX_ANNOUNCED = 256;

/** Between two tellings of how many are there, unless all are. */
export const PRELOADED_INTERVAL = 1;

/** Characters of one cell of a manifest in CSV: two URLs that fit into a message are shorter. */
export const MAX_CELL = 131072;

/** HTTP, beside all from 500 on: another try may be answered otherwise. */
export const RETRIED_STATUSES = [408, 425, 429];

/**
 * Bytes of what a manifest says of one image beside its URLs, as the record has it: JSON in ASCII.
 * A line of the record has room for it beside the longest URL.
 */
export const MAX_EXTRA = 65536;

/** How often a value of that may be nested. */
export const MAX_EXTRA_DEPTH = 16;

/** Of the events of a record; a later version may add events and fields. */
export const SCHEMA = 1;

/** Why a WebSocket was closed: RFC 6455, section 7.4, and our own from 4000 on. */
export const CloseCode = {
  NORMAL: 1000,
  GOING_AWAY: 1001,
  NO_STATUS: 1005,
  ABNORMAL: 1006,
  TOO_LARGE: 1009,
  RELAY_FULL: 1013,
  UNAUTHORIZED: 4001,
  REGISTER_TIMEOUT: 4008,
  TOO_SLOW: 4013,
  RATE_LIMITED: 4029,
};

/** Each in words that follow on whose it is. */
export const Cause = {
  TURN_UNAUTHORIZED: "TURN server refused the credentials (401)",
  TURN_UNTRUSTED: "TURN server has a certificate that is not trusted",
  TURN_SILENT: "TURN server did not answer",
  TURN_FAILED: "TURN server gave no address",
  STUN_SILENT: "STUN server did not answer",
  STUN_FAILED: "STUN server gave no address",
  DTLS_REFUSED: "DTLS handshake was refused",
  PATH_MTU: "large packets seem to be lost on the way (path MTU)",
};

/** What a socket has registered as. */
export const ROLES = ["evaluator", "client"];

/** What evaluators are told of a client. */
export const PRESENCE_STATES = ["available", "waiting", "busy", "offline"];

/** Where the page of a participant stands: before its door until somebody has touched it. */
export const DOORS = ["waiting", "entered"];

/** `error.code`. */
export const ERROR_CODES = [
  "bad_message",
  "unknown_event",
  "not_registered",
  "already_registered",
  "unauthorized",
  "forbidden",
  "unknown_client",
  "client_busy",
  "no_session",
  "rate_limited",
  "unavailable",
];

/** Why a session ended. The first six are said by the relay, the others found by a peer. */
export const END_REASONS = [
  "ended",
  "replaced",
  "peer_gone",
  "claimed_elsewhere",
  "relay_shutdown",
  "token_expired",
  "connection_lost",
  "connect_timeout",
  "negotiation_failed",
  "unsupported",
  "signalling_lost",
];

/** Where a session stands. */
export const SESSION_STATES = ["connecting", "connected", "suspect", "interrupted", "resumed", "ended"];

/** What has become of an image. */
export const STAGES = ["fetched", "shown", "hidden", "failed"];

/** What the time of an image that is shown is. */
export const TIMINGS = ["presented", "frame"];

/** How a participant has answered. */
export const RESPONSE_KINDS = ["key", "tap", "button", "too_many"];

/** How exactly a participant can point. */
export const POINTERS = ["fine", "coarse", "none"];

/** By how much an image is magnified. */
export const SCALES = ["1:1"];

/**
 * Those after which `start_session` may be answered otherwise: who is not there may come,
 * who is in another session may leave it, and a relay may have its others back.
 */
export const PASSING_ERRORS = ["unknown_client", "client_busy", "unavailable"];

/** Those after which the client is known to be in a session with another evaluator. */
export const TAKEN_ERRORS = ["client_busy"];

/**
 * Those of a relay that could do nothing, whatever was said. It is said again some time
 * later, as nothing tells when it can be done.
 */
export const OUTAGE_ERRORS = ["unavailable"];

/**
 * Those that are over by themselves, sooner or later; of the others somebody has to be
 * told.
 */
export const PASSING_OBSTACLES = [
  "unreachable",
  "full",
  "draining",
  "too_many",
  "no_relay",
  "unavailable",
  "too_late",
  "broken",
];

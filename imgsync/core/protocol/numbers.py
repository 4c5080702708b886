"""What all peers must agree on, or both of our languages decide by: each number and word once.

The pages' numbers.js is made of this module, with `python -m tests.both_languages.numbers`; a test
fails where it is stale. Times are in seconds where nothing else is said.
"""

from typing import Final

# ── the data channel ─────────────────────────────────────────────────────────────────────────────

CHANNEL_LABEL = "image-sync"
"""The name of the one channel."""

MAX_CHANNEL_MESSAGE = 64 * 1024
"""Bytes of one message. A larger one is refused by its sender, and by the receiver too."""

MAX_MESSAGE_SIZE = 256 * 1024
"""Bytes of a message that our descriptions allow in `a=max-message-size`. One that is longer ends
the connection, before all of it is here."""

MAX_URLS = MAX_CHANNEL_MESSAGE - 256
"""Bytes of an image's two URLs, as a message has them: what is around them has room beside them."""

MAX_PRELOAD = 16 * 1024
"""Bytes that a preload stays under, so that no image waits long behind it."""

MAX_UNSENT = MAX_CHANNEL_MESSAGE
"""Bytes that may wait to be sent; above that, what can wait is kept back: copies
of the current image that somebody asks for, and preloads."""

DRAINED = MAX_PRELOAD
"""When so few are left, it goes on."""

MAX_BUFFERED = 16 * 1024 * 1024
"""Bytes that may wait to be sent in all: as many as Chromium takes. Who lets more wait takes
nothing, and its connection is given up."""

MAX_BUFFERED_MESSAGES = 16 * 1024
"""The same in messages, each of which costs more than its bytes."""

AHEAD = 50
"""Images that the client is told of before they are shown: about 20 kB on the channel."""

FEATURE_PING = "ping"
"""What `ready.features` says of who answers pings, and is judged by it."""

FEATURE_STAGE = "stage"
"""What it says of who tells what becomes of the images."""

FEATURE_PRELOAD = "preload"
"""What it says of who wants to know what will be shown soon."""

FEATURE_PRELOADED = "preloaded"
"""What it says of who tells how many of them are there."""

FEATURE_PICTURES = "pictures"
"""What it says of who takes pictures over the connection itself, on a channel of their own."""

FEATURE_EXPOSURE = "exposure"
"""What it says of who shows an image for as long as is asked, and then takes it away by itself."""

FEATURE_RESPONSE = "response"
"""What it says of who tells how its participant answers."""

FEATURE_TEXT = "text"
"""What it says of who can show a text in place of an image."""

FEATURE_SIZE = "size"
"""What it says of who shows an image in the size that is asked, where it knows its screen."""

FEATURES = (FEATURE_PING, FEATURE_STAGE, FEATURE_PRELOAD, FEATURE_PRELOADED)
"""What all our clients speak. Who has a place for pictures that come over the connection names
that beside these."""

FEATURE_EARLY_OFFER = "early_offer"
"""What `register.features` says of a client that takes an offer right behind `session_started`, and
`registered.features` of a relay that passes it on by the `ref` of its start."""

FEATURE_ICE_SERVERS = "ice_servers"
"""What `register.features` says of who wants to be told new credentials in time. It concerns the
relay alone, which does not pass it on."""

FEATURE_PRESENCES = "presences"
"""What `register.features` says of an evaluator that takes many changes of clients in one frame. It
concerns the relay alone."""

FEATURE_WAITING = "waiting"
"""What it says of an evaluator that knows clients that wait before their door; others see them as
busy. It concerns the relay alone."""

PRESENCE_GATHER = 0.05
"""Seconds in which the relay gathers changes of clients, to tell them together: nobody sees that an
entry of a list is so much later."""

SUPERSEDED = "superseded"
"""The reason of what fails, or is not acked, because another image took its place."""

CROWDED_OUT = "crowded_out"
"""That of what was announced before so many others that it is fetched when it is shown; or of what
was shown before so many others that are still to be fetched."""

MAX_FEATURES = 16
"""Of these, that a peer may name when it registers: there are twelve. All evaluators are told them
at each change of a client."""

MAX_FEATURE = 32
"""Characters of each. Together they are no more than half a kB of the 8 kB of a `register`, most of
which is for its token."""

READY_AGAIN = (0.5, 1.0, 2.0, 4.0)
"""Seconds after the first `ready` at which a client says it again, until it is pinged."""

EXPIRY_REASONS = ("http_400", "http_401", "http_403", "http_410")
"""Reasons of what may be a URL whose time is over: most hosts say 403, Google's 400."""

RENEWAL_PAUSE = 30
"""Between two readings of a manifest for such a reason."""

HIDDEN_TAB = "hidden_tab"
"""The reason of what happens because nobody looks at the page. What failed for it may be shown yet:
the page may be looked at again."""

EXPOSURE_OVER = "exposure_over"
"""The reason of what is hidden because it was up for as long as was asked."""

ANSWERED = "answered"
"""The reason of what is hidden because it was to be up until the first answer."""

RESIZED = "resized"
"""The reason of what is hidden because it has another size on the screen; `shown` follows."""

ZOOMED = "zoomed"
"""The same because the page was zoomed."""

NOT_CALIBRATED = "not_calibrated"
"""Why an image is fitted to the window although a size was asked: nobody knows how large the screen
is;"""

NO_DISTANCE = "no_distance"
"""or a visual angle was asked, and nobody knows from how far away it is seen;"""

NO_ROOM = "no_room"
"""or the window is smaller than the image would be."""

MAX_ID = 128
"""Characters of a user's or a session's id, and of a name."""

MAX_REF = 64
"""Characters of the name that an evaluator gives one of its questions."""

MAX_REASON = 128
"""Characters of the reason of a stage."""

MAX_DETAIL = 200
"""Characters of what is said of an end beside its reason."""

BYTES_PER_CHARACTER = 3
"""Of those above, on average at most, in UTF-8: as many as all scripts of today have that are in
everyday use. Four have emoji and old scripts; a text of nothing else is shorter by a quarter."""

MAX_WORD = 20
"""Characters of a word in that. What is longer may be a credential, and is left out."""

MAX_NUMBER = 2**53 - 1
"""Whole numbers up to here are the same in every language; RFC 8259, section 6."""

TICK = 2.0**-10
"""Milliseconds, about a microsecond: by so much one `sentAt` is at least later than the one before,
as it names a showing."""

EPSILON = 2.0**-52
"""By so much of itself any number differs from the next one, in doubles."""

MAX_UNACKED = 256
"""Images that may wait for their ack. A peer that acks nothing must not make us grow."""

MAX_SETTLED = 256
"""Images, acked or superseded, whose stages are listened for."""

MAX_STAGES = 256
"""Stages that a client says again on a new channel: those of more images than can be under way when
a connection goes silent. An evaluator listens to so many of one showing."""

MAX_IDENTITIES = 64
"""Pictures whose identity a client says again on a new channel. The record has most by then, and
with the stages they fit into what is kept from before a channel is open."""

LAST_WORDS_DEADLINE = 1.0
"""For a client to say that its last image is hidden, once it knows from the relay that the session
ends, before its evaluator closes the channel."""
MAX_RECORDINGS = 1000
"""Changes of the recording of a participant that an evaluator listens to in one session."""

MAX_RESPONSES = 256
"""Answers to one showing that a client tells, and an evaluator hears; of more, that there are."""

MAX_RESPONSES_KEPT = 1024
"""Answers without an acknowledgement, which a client tells again on a new channel."""

MAX_DISPLAYS = 100
"""Changes of a client's screen that an evaluator listens to in one session."""

MAX_EARLY = 2 * MAX_STAGES + MAX_RESPONSES_KEPT
"""Messages that are kept from before our side of a channel is open: as many as an honest client may
say by then;"""

MAX_EARLY_TEXT = 5 * MAX_CHANNEL_MESSAGE
"""and characters of them together."""

MAX_MARK = 1024
"""Characters of what an evaluator notes of an image."""

MAX_SHOW_FOR = 3_600_000
"""Milliseconds that an image can be asked to be on the screen: an hour."""

MAX_EXPOSURE_FRAMES = 1_000_000
"""Refreshes of the screen, likewise: an hour at 240 Hz has fewer."""

MAX_SIZE_MM = 10_000
"""Millimetres that the longer side of an image can be asked to have."""

MAX_SIZE_DEG = 160
"""Degrees of visual angle, likewise; 180 would be a wall without an end."""

MIN_SHOW_FOR = 4
"""Milliseconds that a study may show an image for: a refresh of the quickest screens, of 240 Hz."""

MAX_SEED = 2**32 - 1
"""What decides the order of a study is one of so many numbers, and 0."""

MAX_STUDY_NAME = 128
"""Characters of the name of a study."""

MAX_FAULTS = 20
"""Faults of a study file that are told at a time."""

MAX_KEYS = 32
"""Keys that can be asked for as answers to one image."""

MAX_KEY = 32
"""Characters of the name of each."""

MAX_SCREEN_TEXT = 4096
"""Characters of a text that is shown in place of an image. As JSON in ASCII it has 24 kB at most,
and 36 where it is of emoji alone."""

MAX_VALUE = 128
"""Characters of an answer."""

USUAL_REFRESH = 60.0
"""Hz of a screen on which a frame lasts as long as people think who count in frames;"""

REFRESH_TOLERANCE = 2.0
"""and by how many one may differ from that: 59.94 Hz and what is measured badly are no other."""

LOW_REFRESH = 50.0
"""Hz below which something holds the screen back: a battery saver, or a remote desktop."""

ZOOM_TOLERANCE = 0.01
"""Of a page, which is known as a quotient of two rounded sizes."""

MAX_CLOCK_OFFSET = 10.0
"""Seconds that a clock may be off by. Tokens live for minutes at least, and people compare records
by the second; a clock that nobody keeps drifts by this much in a month (200 ppm would be half a
minute in two days)."""

# ── the channel of pictures ──────────────────────────────────────────────────────────────────────

DATA_LABEL = "image-data"
"""The name of the channel on which pictures are sent, beside the one of the talk."""

MAX_DATA_TEXT = 16 * 1024
"""Bytes of one of its messages that is text: a reference to a picture has a file's name in it."""

MAX_WANTS = 16
"""Pictures that a client may have asked for and not acknowledged to the end; ours ask for two."""

LARGE_CHUNK = 16 * 1024
"""Bytes of a picture in one message: of more, others on the connection would wait too long."""

SMALL_CHUNK = 4 * 1024
"""The same where the window is below LARGE_CHUNKS_FROM: nothing overtakes a chunk, and on a line of
2 Mbit/s one of these takes 16 ms."""

LARGE_CHUNKS_FROM = 2 * LARGE_CHUNK
"""Bytes of a window in which chunks are large, as those cost less work."""

SMALLEST_WINDOW = 8 * 1024
"""Bytes that may be on their way unacknowledged where all that is on the way is delayed;"""

LARGEST_WINDOW = 512 * 1024
"""and where nothing is: 5 MB a second where there and back take 100 ms."""

SHARED_WINDOW = 256 * 1024
"""Bytes that are divided where pictures are sent to several at a time: all of them wait for one
processor, and what is said beside them waits as long."""

STANDING_QUEUE = 12 * 1024
"""Bytes that may wait somewhere on the way, so that a narrow line is kept busy: at 2 Mbit/s they
take 50 ms."""

GROWTH_PERIOD = 0.03
"""Seconds of a round trip in which a window grows by so much, where nothing has to wait."""

FREE_DELAY = 0.004
"""By so much acknowledgements may be late without a queue: the other side was busy;"""

FREE_PART = 0.125
"""and, once a window has found its size, by this part of the least time there was: on a long way
that is less than anybody would notice, and what else goes on there varies by as much."""

MAX_SAMPLES = 128
"""Chunks whose times are remembered until they are acknowledged: twice as many as there are in a
full window of small ones."""

READ_BLOCK = 256 * 1024
"""Bytes of a picture that are read at a time, when a quarter of as many are left to be sent."""

SMALLEST_BLOCK = 32 * 1024
"""The same where so many pictures are sent at a time that their blocks would be much together."""

NOT_OFFERED = "not_offered"
"""Why a picture that is asked for is not sent: nothing of this name was shown or announced;"""

BAD_OFFSET = "bad_offset"
"""it has no such byte;"""

TOO_MANY = "too_many"
"""over MAX_WANTS were asked for;"""

BAD_MESSAGE = "bad_message"
"""the question can't be understood;"""

CHANGED = "changed"
"""its file is another one by now;"""

UNREADABLE = "unreadable"
"""its file is gone, or can't be read."""

BAD_HASH = "bad_hash"
"""The reason of what fails because other bytes have come than were announced."""

# ── the relay's heartbeat ────────────────────────────────────────────────────────────────────────

KEEPALIVE_INTERVAL = 15.0
"""Between two looks whether the other end of a WebSocket is still there."""

PONG_DEADLINE = 10.0
"""For the answer to one."""

RELAY_FEATURES = (FEATURE_PING, FEATURE_EARLY_OFFER)
"""What `registered.features` says of a relay: it answers pings, and is judged by that; it passes on
an offer that comes right behind its `start_session`."""

# ── the heartbeat ────────────────────────────────────────────────────────────────────────────────

PING_INTERVAL = 2.0
"""Between two pings."""

SUSPECT_AFTER = 4.0
"""Without a pong, until the other side is suspected."""

LOST_AFTER = 8.0
"""Without a pong, until the connection is given up."""

PING_BURST = 8
"""So many pings are sent quickly at first: the quickest of them decides how well the two clocks can
be compared, and half a second of them meets a network in more than one mood."""

PING_BURST_INTERVAL = 0.0625
"""Between two of those."""

SLEPT = 1.0
"""A timer that is so much late was asleep itself (a closed lid, a stopped process, a hidden tab),
and can't hold that time against the other side."""

# ── clocks ───────────────────────────────────────────────────────────────────────────────────────

MAX_DRIFT = 0.006
"""Of one clock against another. The fastest of slews are by 5,000 ppm (adjtime of BSD and macOS),
and nothing that runs by itself is as far off; what moves faster counts as a clock that is set."""

STEADY_DRIFT = 100e-6
"""What a clock that nobody slews may run off, or off another way than before. Crystals of computers
and phones are sold to within 100 ppm, and are better by far."""

SLEWED = 500e-6
"""By so much, from one moment to the next, a clock may run off besides what was seen: NTP and
adjtime slew by as much (RFC 5905)."""

SLEW = 4.0
"""Milliseconds. By so much more a clock has to have moved than it should have to be told as set."""

SLEW_SPAN = 60_000.0
"""Milliseconds, as are those below. How a clock runs is looked at in stretches of this length, so
that slews add up and what is steady does not."""

RESOLUTION = 0.1
"""Milliseconds that a clock is off by at most if it tells fractions, as browsers do by default in a
page that is not isolated (100 us, High Resolution Time, section 7)."""

COARSE = 1.0
"""The same for one that tells whole milliseconds, as some browsers do, and programs that have no
better clock."""

PROBE_SPAN = 30_000.0
"""Probes are kept for so long: what is longer ago says little of how a clock runs now, and is too
old to narrow a bound."""

PROBES_AT_LEAST = 8
"""So many are kept however old they are, as pings can be lost, and a line be down."""

SHORTEST_CELL = 50.0
"""Of probes that come within so long only the best is kept; pings of a burst are further apart."""

LONGEST_CELL = 2000.0
"""The same once there have been probes for long; PROBE_SPAN has fifteen of these cells."""

CELLS_OF_ALL = 8
"""In between, a cell is as long as the time since the first probe, divided by this."""

NO_NEWS = 0.01
"""Milliseconds. What would narrow the bound of its cell by no more is not looked at closer."""

# ── the handshake ────────────────────────────────────────────────────────────────────────────────

ATTEMPT_DEADLINE = 10.0
"""For each attempt of the evaluator's. A candidate may have been lost on its way, or the network is
another one by now; the next attempt tells of all candidates anew."""

ANSWER_DEADLINES = (4.0, 6.0)
"""For the other side's word, before an offer is followed by another one: a signal can be lost. Then
for the next one, and longer, as an answer that is late fits no later offer. What is left of
CONNECT_DEADLINE after these is one whole attempt."""

CONNECT_DEADLINE = ATTEMPT_DEADLINE + sum(ANSWER_DEADLINES)
"""For the first connection. ICE itself gives up only after a minute, or, where the other side never
says that its candidates are complete, not at all."""

REPAIR_DEADLINE = 180.0
"""From an interruption to giving the session up: longer than a relay waits for who is away, so that
it is the relay's word that counts while there is one."""

ABSENCE_DEADLINE = 2.0
"""Who closes the connection and is still at the relay so much later has left."""

CLAIM_PAUSE = 8.0
"""For another window to claim a session that the relay has forgotten and has from the evaluator
anew. By then it has tried to register again, as no pause in between is over MAX_BACKOFF."""

HEAD_START = 2.0
"""That a window which nobody looks at leaves to one that somebody does, before it takes part in a
session that has no owner yet. Shorter than the evaluator waits for an answer."""

EXPLAIN_FIRST = 0.5
"""By so much sooner a client that knows what is in the way ends what never connected. So it is told
to the evaluator, who would end it then, and may know something, too."""

MAX_ASKED = 8
"""Attempts that the other side asks for, without a connection or a pause of ours in between. Each
costs a key pair and sockets."""

MAX_CANDIDATES = 100
"""Of one attempt, their end included; the limit on checks in RFC 8445, section 19.5.1."""

MAX_INPUTS = 256
"""What the relay says of a session may wait so often until it begins; only a flood fills this."""

MAX_SDP = 32 * 1024
"""Characters. A data channel's takes 1 kB, with a hundred candidates 12 kB."""

# ── signalling ───────────────────────────────────────────────────────────────────────────────────

MAX_MEMBERS = 32
"""Of a frame and of its `data` together. Ours have nine at most, and each costs more to read than
all that may stand in it."""

PACKAGE: Final = "webrtc"
"""What `register` says of how the two speak to each other. There is no other way."""

DEFAULT_STUN = "stun:stun.l.google.com:19302"
"""Where the relay names no ICE servers."""

MAX_TURN_SERVERS = 4
"""Of TURN servers that are asked, beside one STUN server: UDP, TCP and TLS, and one in reserve.
Chromium and Firefox warn of longer lists, as they make looking for a way slow."""

REFUSED_AGAIN = 60.0
"""TURN credentials that are younger were refused for another reason than their age, so that nobody
registers again for new ones."""

MAX_TURN_USERNAME = 509
"""Bytes of a user name at a TURN server, over which browsers throw; RFC 8489, section 14.3."""

MAX_HOST_NAME = 253
"""Characters of a name that can be looked up; RFC 1035, section 2.3.4, without the lengths."""

BLOCKED_PORTS = (
    *(1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 69, 77, 79, 87, 95),
    *(101, 102, 103, 104, 109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179),
    *(389, 427, 465, 512, 513, 514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587),
    *(601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000),
    *(6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080),
)
"""Ports at which Firefox throws for an ICE server: "bad ports" of the Fetch standard, but 53."""

REGISTER_DEADLINE = 10.0
"""From the first packet to `registered`."""

START_DEADLINE = 10.0
"""For the answer to `start_session`."""

PROBE_DEADLINE = 4.0
"""For a sign of life from the relay. A network that changed has cut both ways of a peer at once:
the relay is known as lost by the time the connection to the other side is."""

FIRST_BACKOFF = 0.3
"""At most, before the second try to reach the relay; twice as much before each one after it."""

MAX_BACKOFF = 7.0
"""At most, before any later one."""

MAX_INCOMING = 16
"""Sessions that may wait for a client to take them; it can be in one only."""

MAX_UNTOLD = 1000
"""Sessions whose end the relay is still to be told of. It does not ask about one that it has ended
by itself meanwhile, so that nothing else would ever remove that."""

AGAIN_PAUSE = 2.0
"""At most, until what a relay answered by `unavailable` is said again; half of it at least."""

# ── images ───────────────────────────────────────────────────────────────────────────────────────

FETCH_STALL = 10.0
"""Without a byte of an image, until a try to fetch it is given up. As long as bytes come, it may
take any time: a slow line is no fault."""

FETCH_UNSEEN = 120.0
"""The same where nobody can see bytes come: a host may not let pages read what it answers."""

FETCH_TRIES = 3
"""In a row, for what may be over in a moment: nobody listens, the server is overloaded."""

FETCH_PROGRESS = 64 * 1024
"""Bytes by which a try that fails has to get further than any before it, not to count."""

MAX_IMAGE = 64 * 1024 * 1024
"""Bytes of one image."""

MAX_KEPT = 256 * 1024 * 1024
"""Bytes of all images that a client has fetched and keeps. What is under way when they are full is
still fetched, and what is to be shown at once."""

PICTURE_KINDS = (
    ("png", "image/png", ("png", "apng")),
    ("jpg", "image/jpeg", ("jpg", "jpeg", "jpe", "jfif", "pjpeg", "pjp")),
    ("gif", "image/gif", ("gif",)),
    ("webp", "image/webp", ("webp",)),
    ("avif", "image/avif", ("avif", "avifs")),
    ("bmp", "image/bmp", ("bmp",)),
    ("svg", "image/svg+xml", ("svg",)),
)
"""What browsers show: names, media types, and how names of files end. Content alone decides what
something is; the ends of names decide which files of a folder are meant to be shown."""

OTHER_SIGNATURES = (
    (8, "CR\2\0", "image/x-canon-cr2"),
    (0, "II*\0", "image/tiff"),
    (0, "MM\0*", "image/tiff"),
    (0, "II+\0", "image/tiff"),
    (0, "MM\0+", "image/tiff"),
    (0, "FUJIFILMCCD-RAW", "image/x-fuji-raf"),
    (0, "IIRO", "image/x-olympus-orf"),
    (0, "IIRS", "image/x-olympus-orf"),
    (0, "MMOR", "image/x-olympus-orf"),
    (0, "IIU\0", "image/x-panasonic-rw2"),
    (0, "FOVb", "image/x-sigma-x3f"),
    (0, "\xff\x0a", "image/jxl"),
    (4, "JXL \r\n\x87\n", "image/jxl"),
    (4, "jP  \r\n\x87\n", "image/jp2"),
    (0, "\xff\x4f\xff\x51", "image/j2c"),
    (0, "II\xbc\1", "image/jxr"),
    (128, "DICM", "application/dicom"),
    # Without the 132 bytes that are to stand before: group 2, or 8 at once.
    (0, "\2\0\0\0UL\4\0", "application/dicom"),
    (0, "\x08\0\5\0CS", "application/dicom"),
    (344, "n+1\0", "application/x-nifti"),
    (344, "ni1\0", "application/x-nifti"),
    (4, "n+2\0\r\n\x1a\n", "application/x-nifti"),
    (4, "ni2\0\r\n\x1a\n", "application/x-nifti"),
    (0, "NRRD000", "application/x-nrrd"),
    (0, "\x89HDF\r\n\x1a\n", "application/x-hdf5"),
    (0, "CDF\1", "application/x-hdf5"),
    (0, "SIMPLE  = ", "image/fits"),
    (0, "ZISRAWFILE", "image/x-czi"),
    (0, "\0\0\1\0", "image/vnd.microsoft.icon"),
    (0, "8BPS", "image/vnd.adobe.photoshop"),
    (0, "gimp xcf", "image/x-xcf"),
    (0, "\x76\x2f\x31\1", "image/x-exr"),
    (0, "#?RADIANCE", "image/vnd.radiance"),
    (0, "P1\n", "image/x-portable-anymap"),
    (0, "P2\n", "image/x-portable-anymap"),
    (0, "P3\n", "image/x-portable-anymap"),
    (0, "P4\n", "image/x-portable-anymap"),
    (0, "P5\n", "image/x-portable-anymap"),
    (0, "P6\n", "image/x-portable-anymap"),
    (0, "P7\n", "image/x-portable-anymap"),
    (0, "AT&TFORM", "image/vnd.djvu"),
    (0, "%PDF-", "application/pdf"),
    (0, "%!PS", "application/postscript"),
    (0, "\xc5\xd0\xd3\xc6", "application/postscript"),
    (0, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
    (0, "\x1f\x8b", "application/gzip"),
    (0, "PK\3\4", "application/zip"),
    (0, "7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (0, "Rar!\x1a\7", "application/vnd.rar"),
    (0, "\x1a\x45\xdf\xa3", "video/webm"),
    (8, "AVI LIST", "video/x-msvideo"),
    (0, "\0\0\1\xba", "video/mpeg"),
    (0, "\0\0\1\xb3", "video/mpeg"),
    (0, "OggS", "video/ogg"),
    (0, "\x30\x26\xb2\x75\x8e\x66\xcf\x11", "video/x-ms-wmv"),
    (0, "\x8aMNG\r\n\x1a\n", "video/x-mng"),
)
"""Where, by which bytes, each as a character, and under which media type what is no picture that
browsers show is known. The first that fits. `core.pictures.others` says what to do about each."""

PICTURE_HEAD = 4096
"""Bytes that decide of which kind a picture is, unless an SVG begins with a longer comment."""

TRUNCATED = "truncated"
"""The reason of what fails because the end of the picture is missing."""

DECODE = "decode"
"""The reason of what fails because the picture is damaged, or browsers can't decode it."""

NOT_AN_IMAGE = "not_an_image"
"""The reason of what fails because something else came, such as a page."""

OF_TYPE = "type_"
"""The same where it is known what came: this and the media type, such as `type_image/tiff`."""

MAX_FETCHES = 2
"""Images that are fetched ahead at a time, while none is to be shown that is not there. Two keep a
line busy where one waits for its host's answer; more would all be late together."""

PRELOAD_PAUSE = 0.05
"""From an announcement to the first try: one of its images is often to be shown at once, and what
was begun for another would be in its way on a slow line."""

MAX_ANNOUNCED = 256
"""Images that may wait to be fetched ahead."""

PRELOADED_INTERVAL = 1.0
"""Between two tellings of how many are there, unless all are."""

MAX_CELL = 128 * 1024
"""Characters of one cell of a manifest in CSV: two URLs that fit into a message are shorter."""

RETRIED_STATUSES = (408, 425, 429)
"""HTTP, beside all from 500 on: another try may be answered otherwise."""

MAX_EXTRA = 64 * 1024
"""Bytes of what a manifest says of one image beside its URLs, as the record has it: JSON in ASCII.
A line of the record has room for it beside the longest URL."""

MAX_EXTRA_DEPTH = 16
"""How often a value of that may be nested."""

# ── the record ───────────────────────────────────────────────────────────────────────────────────

SCHEMA = 1
"""Of the events of a record; a later version may add events and fields."""

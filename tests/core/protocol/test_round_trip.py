"""Every message of both wires comes back as it was.

Random inputs are derandomized: the same on every run, so that a failure is never a surprise.
"""

import json
from typing import Any, TypeVar, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imgsync.core.codec.codec import (
    decode_channel,
    decode_from_relay,
    decode_signal,
    decode_to_relay,
    encode_channel,
    encode_event,
    encode_signal,
)
from imgsync.core.protocol.channel import (
    Ack,
    ChannelMessage,
    Display,
    Identity,
    Image,
    Ping,
    PointerKind,
    Pong,
    Preload,
    Preloaded,
    Ready,
    Recording,
    Response,
    ResponseAck,
    ResponseKind,
    Stage,
    StageKind,
    UpcomingImage,
)
from imgsync.core.protocol.numbers import MAX_EXPOSURE_FRAMES, MAX_NUMBER, MAX_SHOW_FOR
from imgsync.core.protocol.signalling import (
    Answer,
    CandidateSignal,
    ClientEntry,
    Door,
    EndReason,
    EndSession,
    Enter,
    ErrorCode,
    ErrorEvent,
    ForwardedSignal,
    FromRelay,
    IceServer,
    IceServersChanged,
    Offer,
    PeerAway,
    PeerBack,
    Presence,
    Presences,
    PresenceState,
    RawJson,
    Register,
    Registered,
    RelayPing,
    RelayPong,
    RequestOffer,
    Role,
    SendSignal,
    SessionEndedEvent,
    SessionStarted,
    Signal,
    StartSession,
    ToRelay,
    Waiting,
)
from imgsync.core.protocol.trials import Respond

T = TypeVar("T")

LAW = settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)


def maybe(strategy: st.SearchStrategy[T]) -> st.SearchStrategy[T | None]:
    return st.none() | strategy


def a_few(strategy: st.SearchStrategy[T]) -> st.SearchStrategy[tuple[T, ...]]:
    return st.lists(strategy, max_size=3).map(tuple)


TEXT = st.text(max_size=30)
PRINTABLE = st.characters(exclude_categories=("C", "Z")) | st.just(" ")
USER_ID = st.text(PRINTABLE, min_size=1, max_size=128)
SESSION_ID = USER_ID
NAME = st.text(PRINTABLE, max_size=128)
URL = st.text(PRINTABLE, max_size=30)
WHOLE = st.integers(-MAX_NUMBER, MAX_NUMBER)
COUNT = st.integers(0, MAX_NUMBER)
ORDINAL = st.integers(1, MAX_NUMBER)
DURATION = COUNT | st.floats(0, MAX_NUMBER)
POSITIVE = ORDINAL | st.floats(0, MAX_NUMBER, exclude_min=True)
SCREEN_TEXT = st.text(st.characters(exclude_categories=("Cc", "Cs")) | st.just("\n"), min_size=1)
MILLISECONDS = WHOLE | st.floats(-MAX_NUMBER, MAX_NUMBER)
PING_ID = WHOLE | st.text(PRINTABLE, max_size=128)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
    max_leaves=8,
)
WORDS = a_few(st.text(PRINTABLE, min_size=1, max_size=32))
RAW_JSON = JSON.map(json.dumps).map(RawJson)
CANDIDATE_LINE = st.text("abc 019.:/+-", max_size=30).map(str.strip).map(lambda text: text or None)

ICE_SERVERS = a_few(
    st.builds(IceServer, urls=TEXT | a_few(TEXT), username=maybe(NAME), credential=maybe(TEXT))
)

ANY: dict[type[Any], st.SearchStrategy[Any]] = {
    Register: st.builds(
        Register,
        user_id=USER_ID,
        role=st.sampled_from(Role),
        package=st.just("webrtc"),
        name=maybe(NAME),
        token=maybe(TEXT),
        state=maybe(st.sampled_from(Door)),
    ),
    Enter: st.builds(Enter),
    StartSession: st.builds(StartSession, client_id=USER_ID, session_id=maybe(SESSION_ID)),
    SendSignal: st.builds(
        SendSignal, target_user_id=USER_ID, signal=RAW_JSON, session_id=maybe(SESSION_ID)
    ),
    EndSession: st.builds(EndSession, session_id=SESSION_ID),
    RelayPing: st.builds(RelayPing, id=WHOLE),
    RelayPong: st.builds(RelayPong, id=WHOLE),
    Registered: st.builds(
        Registered,
        user_id=USER_ID,
        role=st.sampled_from(Role),
        name=maybe(NAME),
        ice_servers=maybe(ICE_SERVERS),
        clients=maybe(
            a_few(
                st.builds(
                    ClientEntry,
                    user_id=USER_ID,
                    state=st.sampled_from(PresenceState),
                    name=maybe(NAME),
                )
            )
        ),
    ),
    SessionStarted: st.builds(
        SessionStarted,
        session_id=SESSION_ID,
        evaluator_id=maybe(USER_ID),
        evaluator_name=maybe(NAME),
        client_id=maybe(USER_ID),
        resumed=st.booleans(),
    ),
    ForwardedSignal: st.builds(
        ForwardedSignal, from_user_id=USER_ID, signal=RAW_JSON, session_id=maybe(SESSION_ID)
    ),
    Presence: st.builds(
        Presence, user_id=USER_ID, state=st.sampled_from(PresenceState), name=maybe(NAME)
    ),
    Presences: st.builds(
        Presences,
        clients=st.lists(
            st.builds(
                ClientEntry,
                user_id=USER_ID,
                state=st.sampled_from(PresenceState),
                name=maybe(NAME),
            )
        ).map(tuple),
    ),
    Waiting: st.builds(Waiting, others=st.sampled_from(PresenceState), again=st.booleans()),
    PeerAway: st.builds(PeerAway, session_id=SESSION_ID, user_id=USER_ID),
    PeerBack: st.builds(PeerBack, session_id=SESSION_ID, user_id=USER_ID),
    IceServersChanged: st.builds(IceServersChanged, ice_servers=ICE_SERVERS),
    SessionEndedEvent: st.builds(
        SessionEndedEvent,
        session_id=SESSION_ID,
        reason=st.sampled_from(EndReason),
        by_user_id=maybe(USER_ID),
    ),
    ErrorEvent: st.builds(
        ErrorEvent, code=st.sampled_from(ErrorCode), message=TEXT, event=maybe(TEXT)
    ),
    Offer: st.builds(Offer, sdp=TEXT),
    Answer: st.builds(Answer, sdp=TEXT),
    RequestOffer: st.builds(RequestOffer),
    CandidateSignal: st.builds(
        CandidateSignal,
        candidate=CANDIDATE_LINE,
        sdp_mid=maybe(TEXT),
        sdp_m_line_index=maybe(WHOLE),
        username_fragment=maybe(TEXT),
    ),
    Image: st.builds(
        Image,
        image_index=WHOLE,
        image_url=URL,
        signed_url=maybe(URL),
        sent_at=MILLISECONDS,
        frames=maybe(st.integers(1, MAX_EXPOSURE_FRAMES)),
        respond=maybe(st.builds(Respond, keys=WORDS, taps=st.booleans(), ends=st.booleans())),
        text=maybe(SCREEN_TEXT),
    )
    | st.builds(
        Image,
        image_index=WHOLE,
        image_url=URL,
        signed_url=URL,
        sent_at=MILLISECONDS,
        show_for=st.floats(0, MAX_SHOW_FOR, exclude_min=True) | st.integers(1, MAX_SHOW_FOR),
    ),
    Response: st.builds(
        Response,
        image_index=WHOLE,
        sent_at=MILLISECONDS,
        number=ORDINAL,
        at=MILLISECONDS,
        kind=st.sampled_from(ResponseKind),
        value=NAME,
        reaction_time=maybe(MILLISECONDS),
        within=maybe(DURATION),
        x=maybe(MILLISECONDS),
        y=maybe(MILLISECONDS),
    ),
    ResponseAck: st.builds(ResponseAck, image_index=WHOLE, sent_at=MILLISECONDS, number=ORDINAL),
    Display: st.builds(
        Display,
        at=MILLISECONDS,
        screen_width=maybe(COUNT),
        screen_height=maybe(COUNT),
        window_width=maybe(COUNT),
        window_height=maybe(COUNT),
        pixel_ratio=maybe(POSITIVE),
        zoom=maybe(POSITIVE),
        refresh_rate=maybe(POSITIVE),
        isolated=maybe(st.booleans()),
        resolution=maybe(DURATION),
        browser=maybe(NAME),
        system=maybe(NAME),
        languages=WORDS,
        pointer=maybe(st.sampled_from(PointerKind)),
        checked_at=maybe(MILLISECONDS),
        check_found=WORDS,
        keyboard=maybe(st.booleans()),
    ),
    Preload: st.builds(
        Preload, images=a_few(st.builds(UpcomingImage, image_url=URL, signed_url=maybe(URL)))
    ),
    Stage: st.builds(
        Stage,
        image_index=WHOLE,
        sent_at=MILLISECONDS,
        stage=st.sampled_from(StageKind),
        at=MILLISECONDS,
        reason=maybe(NAME),
        frames=maybe(COUNT),
        dropped=maybe(COUNT),
    ),
    Identity: st.builds(
        Identity,
        image_index=WHOLE,
        sent_at=MILLISECONDS,
        sha256=st.text("0123456789abcdef", min_size=64, max_size=64),
        content_type=NAME.filter(bool),
        bytes=COUNT,
        width=maybe(COUNT),
        height=maybe(COUNT),
    ),
    Preloaded: st.builds(Preloaded, announced=COUNT, there=COUNT, failed=COUNT, full=st.booleans()),
    Ready: st.builds(Ready, features=a_few(TEXT)),
    Recording: st.builds(Recording, devices=WORDS, troubles=WORDS, at=MILLISECONDS),
    Ack: st.builds(Ack, sent_at=MILLISECONDS, received_at=MILLISECONDS, image_index=maybe(WHOLE)),
    Ping: st.builds(Ping, id=PING_ID, t0=MILLISECONDS),
    Pong: st.builds(Pong, id=PING_ID, t0=MILLISECONDS, t1=MILLISECONDS, t2=MILLISECONDS),
}


@pytest.mark.parametrize("cls", get_args(ToRelay))
@given(data=st.data())
@LAW
def test_what_a_peer_tells_the_relay_comes_back_as_it_was(
    cls: type[ToRelay], data: st.DataObject
) -> None:
    message = data.draw(ANY[cls])
    assert decode_to_relay(encode_event(message)) == message


@pytest.mark.parametrize("cls", get_args(FromRelay))
@given(data=st.data())
@LAW
def test_what_the_relay_tells_a_peer_comes_back_as_it_was(
    cls: type[FromRelay], data: st.DataObject
) -> None:
    message = data.draw(ANY[cls])
    assert decode_from_relay(encode_event(message)) == message


@pytest.mark.parametrize("cls", get_args(Signal))
@given(data=st.data())
@LAW
def test_what_stands_in_signal_comes_back_as_it_was(cls: type[Signal], data: st.DataObject) -> None:
    message = data.draw(ANY[cls])
    assert decode_signal(encode_signal(message)) == message


@pytest.mark.parametrize("cls", get_args(ChannelMessage))
@given(data=st.data())
@LAW
def test_a_channel_message_comes_back_as_it_was_its_ints_as_ints(
    cls: type[ChannelMessage], data: st.DataObject
) -> None:
    message = data.draw(ANY[cls])
    again = decode_channel(encode_channel(message))
    assert again == message
    assert repr(again) == repr(message)  # tells 5 from 5.0, which compare equal

"""What session_started means to a peer, and which sessions it asks for again."""

from __future__ import annotations

from imgsync.core.handshake.sessions import (
    Answered,
    Asked,
    Back,
    Begin,
    End,
    Gone,
    Invited,
    Leave,
    Sessions,
    Speaks,
)
from imgsync.core.protocol.numbers import MAX_UNTOLD
from imgsync.core.protocol.signalling import SessionStarted


def ours(session_id: str, client_id: str = "c", *, resumed: bool = False) -> SessionStarted:
    return SessionStarted(session_id, client_id=client_id, resumed=resumed)


def theirs(session_id: str, *, resumed: bool = False) -> SessionStarted:
    return SessionStarted(session_id, evaluator_id="e", evaluator_name="Eve", resumed=resumed)


def an_evaluator() -> Sessions:
    sessions = Sessions(starts=True)
    sessions.registered()
    return sessions


def a_client() -> Sessions:
    sessions = Sessions(starts=False)
    sessions.registered()
    return sessions


def with_session(session_id: str, client_id: str = "c") -> Sessions:
    """An evaluator's, who has started this one."""
    sessions = an_evaluator()
    start(sessions, session_id, client_id)
    return sessions


def start(sessions: Sessions, session_id: str, client_id: str = "c") -> None:
    sessions.ask(client_id)
    begin, answered = sessions.started(ours(session_id, client_id))
    assert begin == Begin(session_id, client_id, client_id, resumed=False, owner_unknown=False)
    assert answered == Answered(session_id)
    sessions.ask_no_more()


def come_back(sessions: Sessions) -> None:
    """The relay is lost, and there again."""
    sessions.relay_lost()
    sessions.registered()


# ── what a client speaks ─────────────────────────────────────────────────────────────────────────


def test_what_a_client_speaks_is_as_the_relay_says_last() -> None:
    sessions = an_evaluator()
    sessions.ask("c")
    [begin, _] = sessions.started(SessionStarted("s", client_id="c", features=("ping", "x")))
    assert isinstance(begin, Begin)
    assert begin.features == ("ping", "x")
    start(sessions, "t", "d")
    assert sessions.speaks("c", ("stage",)) == [Speaks("s", ("stage",))]
    assert sessions.speaks("c", ()) == [Speaks("s", ())]
    assert sessions.speaks("nobody", ("ping",)) == []
    again = SessionStarted("s", client_id="c", resumed=True, features=("preload",))
    assert sessions.started(again) == [Back("s", ("preload",))]
    sessions.forget("s")
    assert sessions.speaks("c", ("ping",)) == []


# ── what an evaluator is told of ─────────────────────────────────────────────────────────────────


def test_what_an_evaluator_asks_for_begins_and_is_its_answer() -> None:
    with_session("s")


def test_a_session_that_nobody_waits_for_is_ended() -> None:
    sessions = an_evaluator()
    assert sessions.started(ours("s")) == [End("s")]
    sessions.ask("another")
    assert sessions.started(ours("s")) == [End("s")]


def test_a_question_has_one_answer() -> None:
    sessions = an_evaluator()
    sessions.ask("c")
    assert sessions.started(ours("s"))[1:] == [Answered("s")]
    assert sessions.started(ours("t")) == [End("t")]


def test_an_answer_that_is_too_late_is_of_no_use() -> None:
    sessions = an_evaluator()
    sessions.ask("c")
    sessions.ask_no_more()
    assert sessions.started(ours("s")) == [End("s")]


def test_an_old_session_that_was_not_asked_for_is_left_alone() -> None:
    sessions = an_evaluator()
    assert sessions.started(ours("s", resumed=True)) == [Leave("s")]
    sessions.ask("c")
    assert sessions.started(ours("s", resumed=True)) == [Leave("s")]


def test_a_session_of_a_process_before_this_one_begins_where_it_is_asked_for_by_its_id() -> None:
    sessions = an_evaluator()
    sessions.ask("c", "s")
    begin, answered = sessions.started(ours("s", resumed=True))
    assert begin == Begin("s", "c", "c", resumed=True, owner_unknown=False)
    assert answered == Answered("s")


def test_a_relay_that_does_not_know_that_session_may_begin_another_one() -> None:
    sessions = an_evaluator()
    sessions.ask("c", "s")
    assert sessions.started(ours("t"))[1:] == [Answered("t")]


# ── taking up ────────────────────────────────────────────────────────────────────────────────────


def test_after_a_loss_of_the_relay_each_session_is_asked_for_the_oldest_first() -> None:
    sessions = with_session("t", "d")
    start(sessions, "s")
    assert sessions.take_up_next() is None
    sessions.relay_lost()
    assert sessions.take_up_next() is None
    sessions.registered()
    assert sessions.take_up_next() == Asked("d", "t", takes_up=True)
    assert sessions.started(ours("t", "d", resumed=True)) == [Back("t"), Answered("t")]
    sessions.ask_no_more()
    assert sessions.take_up_next() == Asked("c", "s", takes_up=True)
    assert sessions.take_up_next() is None


def test_what_the_relay_takes_up_by_itself_is_not_asked_for() -> None:
    sessions = with_session("s")
    come_back(sessions)
    assert sessions.started(ours("s", resumed=True)) == [Back("s")]
    assert sessions.take_up_next() is None


def test_clients_ask_for_nothing() -> None:
    sessions = a_client()
    sessions.started(theirs("s"))
    come_back(sessions)
    assert sessions.take_up_next() is None


def test_what_may_pass_is_asked_for_again_when_it_may_have_passed() -> None:
    sessions = with_session("s")
    come_back(sessions)
    asked = sessions.take_up_next()
    assert asked is not None
    assert sessions.refused(asked, may_pass=True) == []
    assert sessions.take_up_next() is None
    sessions.may_ask()
    assert sessions.take_up_next() == asked


def test_what_does_not_pass_is_the_end_of_a_session_for_the_relay() -> None:
    sessions = with_session("s")
    come_back(sessions)
    asked = sessions.take_up_next()
    assert asked is not None
    assert sessions.refused(asked, may_pass=False) == [Gone("s")]
    sessions.may_ask()
    assert sessions.take_up_next() is None


def test_a_session_may_find_out_that_the_relay_has_forgotten_it() -> None:
    sessions = with_session("s")
    sessions.take_up("s")
    assert sessions.take_up_next() == Asked("c", "s", takes_up=True)
    sessions.take_up("unknown")
    assert sessions.started(ours("s", resumed=True)) == [Back("s"), Answered("s")]
    assert sessions.take_up_next() is None


def test_a_session_that_is_over_before_it_is_taken_up_is_ended_and_waited_for_no_longer() -> None:
    sessions = with_session("s")
    come_back(sessions)
    assert sessions.take_up_next() is not None
    sessions.forget("s")
    assert sessions.started(ours("s", resumed=True)) == [End("s"), Answered(None)]


def test_a_relay_that_begins_another_session_instead_can_not_take_the_first_one_up() -> None:
    sessions = with_session("s")
    come_back(sessions)
    sessions.take_up_next()
    assert sessions.started(ours("t")) == [End("t"), Answered(None), Gone("s")]
    sessions.may_ask()
    assert sessions.take_up_next() is None


# ── what is over ─────────────────────────────────────────────────────────────────────────────────


def test_the_relay_is_told_of_an_end_when_it_asks() -> None:
    sessions = with_session("s")
    sessions.over("s")
    # Even before the session is forgotten here.
    assert sessions.started(ours("s", resumed=True)) == [End("s")]
    sessions.forget("s")
    assert sessions.started(ours("s", resumed=True)) == [End("s")]
    sessions.told("s")
    assert sessions.started(ours("s", resumed=True)) == [Leave("s")]


def test_of_the_ends_that_nobody_asks_about_the_last_ones_are_kept() -> None:
    sessions = an_evaluator()
    for number in range(MAX_UNTOLD + 1):
        sessions.over(str(number))
    assert sessions.started(ours("0", resumed=True)) == [Leave("0")]
    assert sessions.started(ours("1", resumed=True)) == [End("1")]


# ── what a client is told of ─────────────────────────────────────────────────────────────────────


def test_a_client_is_invited_and_leaves_the_session_before() -> None:
    sessions = a_client()
    begin, invited = sessions.started(theirs("s"))
    assert begin == Begin("s", "e", "Eve", resumed=False, owner_unknown=False)
    assert invited == Invited("s")
    gone, *begun = sessions.started(theirs("t"))
    assert gone == Gone("s")
    assert begun[1:] == [Invited("t")]


def test_another_window_may_be_in_an_old_session_if_this_one_was_here_before() -> None:
    for returns, owner_unknown in ((0, False), (1, True)):
        sessions = a_client()
        for _ in range(returns):
            come_back(sessions)
        begin, _ = sessions.started(theirs("s", resumed=True))
        assert begin == Begin("s", "e", "Eve", resumed=True, owner_unknown=owner_unknown)
        [*_, begin, _] = sessions.started(theirs("t"))
        assert begin == Begin("t", "e", "Eve", resumed=False, owner_unknown=False)


def test_a_client_is_told_that_it_is_back() -> None:
    sessions = a_client()
    sessions.started(theirs("s"))
    come_back(sessions)
    assert sessions.started(theirs("s", resumed=True)) == [Back("s")]


def test_a_signal_that_names_no_session_is_of_the_last_one_with_its_sender() -> None:
    sessions = with_session("s")
    start(sessions, "t")
    start(sessions, "u", "d")
    assert sessions.last_with("c") == "t"
    assert sessions.last_with("nobody") is None
    sessions.forget("t")
    assert sessions.last_with("c") == "s"

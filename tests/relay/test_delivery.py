"""What a relay's state asks for, where its socket is gone by then."""

from imgsync.core.protocol.signalling import CloseCode, ErrorCode, ErrorEvent
from imgsync.core.relay.nodes.outputs import NodeOutput, Pass
from imgsync.core.relay.outputs import Close, Send
from imgsync.relay.delivery import Delivery
from imgsync.relay.observer import Observer
from imgsync.tasks import Bell


def test_what_is_for_a_socket_that_is_gone_is_left_out() -> None:
    refusal = ErrorEvent(ErrorCode.UNAVAILABLE, "Try again.", "register")
    closing = Close(1, CloseCode.RELAY_FULL, "cut off")
    late: list[NodeOutput] = [Send(1, refusal), closing, Pass(1, "{}")]
    Delivery({}, Observer(), Bell()).perform(late)

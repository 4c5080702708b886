"""What the columns of a file of events are, in BIDS."""

import attrs

_EPOCH = "ms since 1970-01-01 00:00 UTC"


@attrs.frozen
class Column:
    """What it has in it.

    :param units: of its numbers; None for what has none.
    """

    description: str
    units: str | None = None

    @property
    def described(self) -> dict[str, str]:
        """As it stands beside the table."""
        units = {} if self.units is None else {"Units": self.units}
        return {"Description": self.description, **units}


EVENT_COLUMNS = {
    "onset": Column(
        "When the image was on the screen for the first time, from the first image of the session"
        " that was: that one is at 0.",
        "s",
    ),
    "duration": Column("How long it was on the screen, in all, as exposure_ms.", "s"),
    "trial_type": Column(
        "The condition, where the manifest or the study names one; else whether it was an image or"
        " a text."
    ),
    "response_time": Column(
        "From the onset of the image to the participant's first answer, as reaction_time.", "s"
    ),
    "stim_file": Column(
        "Always n/a, as a record has no pictures: image_name and sha256 say which one it was. Put"
        " the path here once the pictures lie in the stimuli folder of the data set."
    ),
}
"""Those that BIDS has a meaning for."""

BIDS_COLUMNS = ("sample", "value", "HED", "channel", "stim_id", "response")
"""Further ones, that a column of a manifest may not be taken for."""

ROW_COLUMNS = {
    "session_id": Column("The id of the session."),
    "evaluator_id": Column("Who has driven the session."),
    "client_id": Column("On which client the image was shown."),
    "image_index": Column("The number of the image in the manifest, the study or the folder."),
    "image_name": Column("The name of its file."),
    "image_url": Column("Its address, without what could be secret, or its name in a folder."),
    "sha256": Column("The SHA-256 of the bytes of the picture that was shown."),
    "type": Column("The media type of the picture."),
    "width": Column("Of the picture.", "px"),
    "height": Column("Of the picture.", "px"),
    "bytes": Column("The size of the picture.", "byte"),
    "sent_at_iso": Column("When it was sent, evaluator's clock, in ISO 8601."),
    "sent_at": Column("When it was sent, evaluator's clock.", _EPOCH),
    "received_at": Column("When the client was told to show it, client's clock.", _EPOCH),
    "acked_at": Column("When the evaluator knew of that, evaluator's clock.", _EPOCH),
    "fetched_at": Column("When the client had the picture, client's clock.", _EPOCH),
    "shown_at": Column("When it was on the screen for the first time, client's clock.", _EPOCH),
    "hidden_at": Column("When it went from there for the last time, client's clock.", _EPOCH),
    "failed_at": Column("When it failed, client's clock.", _EPOCH),
    "failed_reason": Column("Why it failed, in a word."),
    "failed_detail": Column("What else is known of that."),
    "superseded": Column("Whether another image was shown before this one was acked, or up."),
    "copies": Column("How often it was sent."),
    "intervals": Column(f"When it was on the screen, client's clock: pairs of {_EPOCH}, as JSON."),
    "exposure_ms": Column("How long it was on the screen, in all.", "ms"),
    "gaps": Column("How often it was gone in between."),
    "hidden_reason": Column("Why it went, in words, each once."),
    "recorded_by": Column("The devices that recorded the participant all the time that it was up."),
    "recording_troubles": Column("What was the matter with that, in words."),
    "round_trip": Column("From sent_at to acked_at.", "ms"),
    "latency": Column("From sent_at to received_at, on one clock.", "ms"),
    "bound": Column("How wrong latency can be, either way.", "ms"),
    "onset_latency": Column("From sent_at to shown_at, on one clock.", "ms"),
    "onset_bound": Column(
        "How wrong onset_latency can be, either way; and each onset, against the clock that it is"
        " of.",
        "ms",
    ),
    "onset_timing": Column(
        "What is known of the onset: presented (when the browser has presented the image) or frame"
        " (the animation frame that put it up)."
    ),
    "received_at_evaluator": Column("received_at on the evaluator's clock.", _EPOCH),
    "fetched_at_evaluator": Column("fetched_at on the evaluator's clock.", _EPOCH),
    "shown_at_evaluator": Column("shown_at on the evaluator's clock.", _EPOCH),
    "hidden_at_evaluator": Column("hidden_at on the evaluator's clock.", _EPOCH),
    "failed_at_evaluator": Column("failed_at on the evaluator's clock.", _EPOCH),
    "show_for": Column("For how long it was to be on the screen.", "ms"),
    "frames": Column("For how many refreshes of the screen it was to be there."),
    "frames_up": Column("For how many it was there."),
    "frames_dropped": Column("How many of these the client missed."),
    "size_mm": Column("How long its longer side was to be on the screen, as asked.", "mm"),
    "size_deg": Column("The same, in degrees of visual angle.", "deg"),
    "scale": Column("By how much it was to be magnified: 1:1 is one pixel on each of the screen."),
    "drawn_width_px": Column("How wide it was on the screen, in CSS pixels.", "px"),
    "drawn_height_px": Column("How high it was there, in CSS pixels.", "px"),
    "drawn_width_mm": Column("How wide it was there, where the screen was calibrated.", "mm"),
    "drawn_height_mm": Column("How high it was there, where the screen was calibrated.", "mm"),
    "fitted": Column(
        "Why it was fitted to the window although a size was asked: not_calibrated, no_distance or"
        " no_room (the window was smaller)."
    ),
    "answers": Column("How many answers the participant gave."),
    "answer": Column(
        "The first one: the name of a key, the value of a button, or, of a tap, picture or beside."
    ),
    "answer_kind": Column("How it was given: key, tap or button."),
    "reaction_time": Column("From the onset to the first answer.", "ms"),
    "reaction_bound": Column("How wrong reaction_time can be, either way.", "ms"),
    "score": Column("What the evaluator has given last for it."),
    "note": Column("What the evaluator has noted."),
}
"""Those of report.csv, by their names in Python."""

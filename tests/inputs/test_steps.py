import pytest
from pydantic import TypeAdapter, ValidationError

from vicinal.inputs.steps import (
    Clip,
    Crop,
    EventIntervals,
    HighPass,
    LowPass,
    Notch,
    Resample,
    Scale,
    SelectEvents,
    Step,
    UsualEvent,
)

STEP: TypeAdapter[Step] = TypeAdapter(Step)


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ({"step": "resample"}, Resample()),
        ({"step": "high_pass", "cutoff_hz": 0.5}, HighPass(cutoff_hz=0.5, width_hz=None)),
        ({"step": "low_pass", "cutoff_hz": 40}, LowPass(cutoff_hz=40.0, width_hz=None)),
        ({"step": "notch", "frequency_hz": 50}, Notch(frequency_hz=50.0, width_hz=1.0)),
        ({"step": "scale", "by": "recording"}, Scale(by="recording", centre=None, spread=None)),
        ({"step": "scale", "by": "constant", "spread": 2}, Scale(by="constant", centre=None, spread=2.0)),
        ({"step": "clip", "limit": 3}, Clip(limit=3.0)),
        ({"step": "crop"}, Crop(where="centre")),
        ({"step": "events", "symbols": ["N", "V"]}, SelectEvents(symbols=("N", "V"))),
        ({"step": "usual_event"}, UsualEvent(before_s=0.3, after_s=0.4)),
        ({"step": "event_intervals"}, EventIntervals(relative=False)),
    ],
)
def test_a_table_becomes_its_step_and_survives_json(table: dict[str, object], expected: Step) -> None:
    step = STEP.validate_python(table)
    assert step == expected
    assert STEP.validate_json(STEP.dump_json(step)) == expected


@pytest.mark.parametrize(
    ("filter_step", "transition_hz", "edge_hz"),
    [
        (HighPass(cutoff_hz=0.5), 0.5, 0.5),  # as wide as the cutoff
        (HighPass(cutoff_hz=0.5, width_hz=0.2), 0.2, 0.5),
        (LowPass(cutoff_hz=40), 10, 40),  # a quarter of the cutoff
        (LowPass(cutoff_hz=40, width_hz=5), 5, 40),
        (Notch(frequency_hz=50), 1, 51),  # both sides of the notch must lie below half the rate
        (Notch(frequency_hz=60, width_hz=3), 3, 63),
    ],
)
def test_transitions_and_edges_by_hand(
    filter_step: HighPass | LowPass | Notch, transition_hz: float, edge_hz: float
) -> None:
    assert (filter_step.transition_hz, filter_step.edge_hz) == (transition_hz, edge_hz)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"step": "hipass"}, "does not match any of the expected tags"),
        ({"cutoff_hz": 40}, "Unable to extract tag"),
        ({"step": "resample", "rate_hz": 100}, "Extra inputs"),
        ({"step": "low_pass"}, "Field required"),
        ({"step": "low_pass", "cutoff_hz": 0.009}, "greater than or equal to 0.01"),
        ({"step": "high_pass", "cutoff_hz": 1, "width_hz": 0}, "greater than or equal to 0.01"),
        ({"step": "high_pass", "cutoff_hz": float("inf")}, "finite number"),
        ({"step": "notch", "frequency_hz": 1, "width_hz": 1}, "width_hz 1.0 must be below frequency_hz 1.0"),
        ({"step": "scale", "by": "recording", "spread": 2}, "belong to by"),
        ({"step": "scale", "by": "recording", "centre": 0}, "belong to by"),
        ({"step": "scale", "by": "constant", "centre": 1}, "needs spread"),
        ({"step": "scale", "by": "constant", "spread": 0}, "greater than 0"),
        ({"step": "clip", "limit": 0}, "greater than 0"),
        ({"step": "events", "symbols": []}, "at least 1 item"),
        ({"step": "usual_event", "before_s": 0}, "greater than 0"),
        ({"step": "crop", "where": "middle"}, "'start', 'centre' or 'end'"),
    ],
)
def test_a_step_that_cannot_be_meant_is_refused(table: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        STEP.validate_python(table)


def test_a_step_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Clip(limit=1).limit = 2  # type: ignore[misc]

from pathlib import Path

import pytest
from PIL import Image

from vicinal.errors import ExperimentError
from vicinal.inputs.contract import Contract
from vicinal.workflow.inspecting import draw_inspection, inspect, is_ecg, parse_shape


def test_shapes_are_parsed() -> None:
    assert parse_shape("12x1000@100") == ((12, 1000), 100.0)
    assert parse_shape("1x100") == ((1, 100), None)
    assert parse_shape("3x64x48") == ((3, 64, 48), None)


@pytest.mark.parametrize("text", ["", "100", "12x", "x100", "12x1000@", "a x b", "12x1000@-1"])
def test_other_shapes_are_refused(text: str) -> None:
    with pytest.raises(ExperimentError, match="expected CHANNELSxPOINTS@HZ"):
        parse_shape(text)


def test_the_preset_of_the_design_is_counted() -> None:
    found = inspect("resnet1d", shape="12x1000@100", n_outputs=5)
    assert found.parameters == 2_945_157
    assert round(2 * found.multiply_adds / 1e9, 3) == 0.703


def heart(**changes: object) -> Contract:
    usual = {"channels": ("I", "aVR", "V6"), "rate_hz": 250, "duration_s": 4, "units": "uV"}
    return Contract.model_validate({**usual, **changes})


def test_a_contract_says_shape_rate_and_what_a_heartbeat_is(tmp_path: Path) -> None:
    (tmp_path / "contract.json").write_text(heart().to_json())
    found = inspect(
        "conv 8 window 20 stride 10 | relu | conv 8 window 5 | mean | dense classes",
        contract_file=tmp_path / "contract.json",
        n_outputs=5,
    )
    assert found.input_shape == (3, 1000)
    assert found.rate_hz == 250
    assert found.stages[-1].shape == (5,)
    assert found.receptive_field_samples == 60
    assert found.receptive_field_ms == 240.0
    assert found.receptive_field_heartbeats == pytest.approx(0.24)  # one a second, at 60 a minute
    assert [stage.receptive_field_heartbeats for stage in found.stages[:2]] == pytest.approx([0.08, 0.08])


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, True),
        ({"channels": ("ECG lead II",)}, True),
        ({"channels": ("MLII",), "units": "V"}, True),
        ({"units": "m/s"}, False),
        ({"channels": ("Fp1", "Cz", "V6")}, False),
        ({"channels": ("vibration",), "units": "mV"}, False),
    ],
)
def test_an_ecg_is_told_by_units_and_leads(changes: dict[str, object], expected: bool) -> None:
    assert is_ecg(heart(**changes)) is expected


def test_shape_or_contract_just_one() -> None:
    with pytest.raises(ExperimentError, match="expected --input or --contract, got neither"):
        inspect("founding")
    with pytest.raises(ExperimentError, match="expected --input or --contract, got both"):
        inspect("founding", shape="1x100@100", contract_file=Path("contract.json"))


def test_a_page_is_drawn_over_a_recording_or_a_made_up_heart(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("time_s,II_mV\n" + "".join(f"{k / 100},{k % 7}\n" for k in range(100)))
    file = tmp_path / "contract.toml"
    file.write_text(heart(channels=("II",), rate_hz=100, duration_s=1.0).to_toml())
    found = inspect("founding", contract_file=file)
    for recording, about in ((tmp_path / "a.csv", "a recording, as it enters"), (None, "a synthetic ECG")):
        draw_inspection(found, tmp_path / "page.html", recording=recording, contract_file=file)
        page = (tmp_path / "page.html").read_text()
        assert f"Drawn over {about}" in page
        assert "<polyline" in page
        assert "a.csv" not in page


def test_a_page_needs_time_and_a_recording_its_contract(tmp_path: Path) -> None:
    with pytest.raises(ExperimentError, match="needs an image to draw this network over: give --recording"):
        draw_inspection(inspect("lenet", shape="1x28x28"), tmp_path / "page.html")
    with pytest.raises(ExperimentError, match="needs --contract"):
        draw_inspection(
            inspect("founding", shape="1x100@100"), tmp_path / "page.html", recording=tmp_path / "a.csv"
        )
    assert not (tmp_path / "page.html").exists()


def test_an_image_is_drawn_by_its_contract(tmp_path: Path) -> None:
    Image.new("L", (8, 9), 200).save(tmp_path / "a.png")
    file = tmp_path / "contract.toml"
    contract = Contract(axes=("height", "width"), channels=("grey",), size=(9, 8), units="1")
    file.write_text(contract.to_toml())
    found = inspect("conv 2 window 3 | mean | dense 1", contract_file=file)
    draw_inspection(found, tmp_path / "page.html", recording=tmp_path / "a.png", contract_file=file)
    page = (tmp_path / "page.html").read_text()
    assert 'href="data:image/png;base64,' in page
    assert "sees 3 x 3 pixels" in page
    assert "a.png" not in page

import numpy as np
import pytest
from tests.inputs.formats.mutants import answers, mutants

from vicinal.errors import FormatError
from vicinal.inputs.formats.reading import read

GOOD = """# made by hand
@problemName Beats
@timeStamps false
@missing true
@univariate false
@dimensions 2
@equalLength true
@seriesLength 3
@classLabel true normal other
@data
1,2,3:4,?,6:normal
7,8,9:10,11,12:other
"""


def write(folder, text=GOOD):
    (folder / "r.ts").write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder / "r.ts"


def test_each_line_is_a_signal(tmp_path):
    path = write(tmp_path)
    signal = read(path, row=0, rate_hz=100, units="mV")
    np.testing.assert_array_equal(signal.samples, [[1, 2, 3], [4, np.nan, 6]])
    assert read(path, row=1, rate_hz=100, units="mV").samples[1].tolist() == [10, 11, 12]
    with pytest.raises(FormatError, match="holds 2"):
        read(path, rate_hz=100, units="mV")


def test_lengths_may_differ_when_the_head_says_so(tmp_path):
    path = write(tmp_path, "@univariate true\n@equalLength false\n@classLabel false\n@data\n1,2\n1,2,3\n")
    assert read(path, row=1, rate_hz=1, units="1").samples.shape == (1, 3)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        pytest.param("7,8,9", "7,8", r"line 12: expected 3 values in each channel", id="149-another length"),
        pytest.param("7,8,9", "7,x,9", r"line 12: expected numbers separated by commas", id="149-text"),
        pytest.param(
            ":other", ":another", r"line 12: expected a class among normal, other", id="unknown class"
        ),
        pytest.param("7,8,9:10,11,12", "7,8,9", r"line 12: expected 2 channels, got 1", id="channel missing"),
        pytest.param("@timeStamps false", "@timeStamps true", "time stamps are not read", id="time stamps"),
        pytest.param(
            "@dimensions 2", "@dimensions x", "@dimensions: expected a whole number", id="no number"
        ),
        pytest.param("@missing", "@mising", "line 4: expected a line such as", id="unknown field"),
        pytest.param("7,8", "1e400,8", "line 12: expected finite values", id="too large"),
        pytest.param("@data\n", "", "line 10: expected a line such as", id="no data line"),
        pytest.param("# made", "\0 made", "expected text, got NUL", id="NUL"),
    ],
)
def test_a_bad_file_is_refused(tmp_path, old, new, message):
    assert old in GOOD
    with pytest.raises(FormatError, match=message) as caught:
        read(write(tmp_path, GOOD.replace(old, new)), row=0, rate_hz=1, units="1")
    assert "r.ts" in str(caught.value)


def test_lengths_that_differ_against_the_head_are_refused(tmp_path):
    path = write(tmp_path, "@univariate true\n@equalLength true\n@data\n1,2\n1,2,3\n")
    with pytest.raises(FormatError, match=r"r\.ts: expected signals of equal length"):
        read(path, row=1, rate_hz=1, units="1")


def test_a_file_without_signals_is_refused(tmp_path):
    with pytest.raises(FormatError, match="expected '@data' and lines below it"):
        read(write(tmp_path, "@univariate true\n@data\n"), row=0, rate_hz=1, units="1")


def survive(tmp_path, n):
    def misread(signal):
        return None if signal.samples.shape[1] in (2, 3, 4) else f"shape {signal.samples.shape}"

    for mutant in mutants(GOOD.encode(), n=n, seed=2):
        path = write(tmp_path, mutant)
        answers(lambda path=path: read(path, row=0, rate_hz=1, units="1"), names="r.ts", misread=misread)


def test_mutants(tmp_path):
    survive(tmp_path, 100)


@pytest.mark.prove
def test_ten_thousand_mutants(tmp_path):
    survive(tmp_path, 10_000)

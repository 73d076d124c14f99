import pytest

from vicinal.errors import PathError
from vicinal.workflow.getting import get


def test_an_unknown_set_is_refused() -> None:
    with pytest.raises(PathError, match="no public data set 'cinc'"):
        get("cinc")

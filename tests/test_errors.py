import inspect

import pytest

from vicinal import errors


def test_every_error_has_the_one_root_and_a_natural_built_in() -> None:
    for name in errors.__all__:
        error = getattr(errors, name)
        assert issubclass(error, errors.VicinalError)
        if error is not errors.VicinalError:
            others = [base for base in error.__bases__ if base is not errors.VicinalError]
            assert len(others) == 1
            assert others[0].__module__ == "builtins"


def test_there_are_at_most_ten() -> None:
    defined = [name for name, value in vars(errors).items() if inspect.isclass(value)]
    assert sorted(defined) == errors.__all__
    assert len(defined) <= 10


def test_the_docstring_draws_the_whole_tree() -> None:
    for name in errors.__all__:
        assert name in (errors.__doc__ or "")


def test_one_root_catches_them_all() -> None:
    with pytest.raises(errors.VicinalError, match="rows"):
        raise errors.RoleError("these rows")

import inspect

import pytest

from vicinal import errors


def test_every_error_has_the_one_root_and_a_natural_built_in() -> None:
    for name in errors.__all__[:-1]:
        error = getattr(errors, name)
        assert issubclass(error, errors.VicinalError)
        if error is not errors.VicinalError:
            others = [base for base in error.__bases__ if base is not errors.VicinalError]
            assert len(others) == 1
            assert others[0].__module__ == "builtins"


def test_there_are_at_most_ten() -> None:
    defined = [
        name
        for name, value in vars(errors).items()
        if inspect.isclass(value) and issubclass(value, Exception)
    ]
    assert [*sorted(defined), "did_you_mean"] == errors.__all__
    assert len(defined) <= 10


def test_the_docstring_draws_the_whole_tree() -> None:
    for name in errors.__all__[:-1]:
        assert name in (errors.__doc__ or "")


def test_one_root_catches_them_all() -> None:
    with pytest.raises(errors.VicinalError, match="rows"):
        raise errors.RoleError("these rows")


def test_the_nearest_known_word_is_offered() -> None:
    assert errors.did_you_mean("widnow", ["window", "stride"]) == ", did you mean 'window'?"
    assert errors.did_you_mean("zzz", ["window", "stride"]) == "; known: window, stride."
    assert errors.did_you_mean("zzz", []) == "."

import os
import signal
import threading

import pytest

from vicinal.workflow.stopping import EXIT_CODE, Stop


def terminate() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def test_it_is_heeded_where_it_is_asked_for_and_ends_the_process_after() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as ended, Stop() as stop, stop.heeded():  # noqa: PT012 - leaving it raises
        assert not stop()
        terminate()
        assert stop()
    assert ended.value.code == EXIT_CODE == 143
    assert signal.getsignal(signal.SIGTERM) is before


def test_elsewhere_it_ends_the_process_at_once() -> None:
    with pytest.raises(SystemExit) as ended, Stop():
        terminate()
    assert ended.value.code == 143


def test_the_second_time_it_ends_the_process_at_once() -> None:
    with Stop() as stop, stop.heeded():
        terminate()
        with pytest.raises(SystemExit):
            terminate()
        stop._is_asked = False  # the test goes on


def test_what_is_not_asked_to_stop_goes_on() -> None:
    with Stop() as stop, stop.heeded():
        pass
    assert not stop()


def test_another_thread_than_the_main_one_does_not_listen() -> None:
    before, seen = signal.getsignal(signal.SIGTERM), []

    def work() -> None:
        with Stop() as stop:
            seen.append((stop(), signal.getsignal(signal.SIGTERM) is before))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [(False, True)]

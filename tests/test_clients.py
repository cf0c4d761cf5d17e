"""Clients: one of each, tokens for nobody but ARM, retries that end."""

import threading
import time

import pytest

from shared import clients, probe, reply
from tests.doors import Doors
from tests.patience import HURRIED_WORDS, REPEATED_SECONDS


def test_a_long_retry_after_is_cut_short(doors: Doors) -> None:
    assert clients.RETRY_AFTER_SECONDS_MAX == 20
    effect = {"status": 503, "headers": {"Retry-After": "0"}}
    doors.world.faults.add({"match": {"path": "subscriptions"}, "effect": effect})
    mark = doors.mark()
    assert clients.ask("GET", "/subscriptions").status == 503
    assert len(doors.sent(mark, "GET")) == clients.RETRIES + 1


def test_a_server_that_says_nothing_is_unreachable_in_time(doors: Doors) -> None:
    doors.world.faults.add({"match": {"path": "subscriptions"}, "effect": {"drop": True}})
    started = time.monotonic()
    with pytest.raises(reply.Unreachable, match=HURRIED_WORDS):
        clients.ask("GET", "/subscriptions", bounds=clients.HURRIED)
    assert time.monotonic() - started < REPEATED_SECONDS


def test_the_token_goes_to_nobody_but_the_resource_manager(doors: Doors) -> None:
    with pytest.raises(reply.Surprise, match="is not the resource manager"):
        clients.ask("GET", "https://control.example.net/subscriptions")
    assert doors.strangers.heard == []


def test_two_threads_get_one_client(doors: Doors) -> None:
    clients.forget()
    made: list[object] = []
    threads = [threading.Thread(target=lambda: made.append(clients.arm())) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(10)
    assert len(made) == 4
    assert len({id(one) for one in made}) == 1


@pytest.mark.parametrize(
    ("path", "version"),
    [
        ("/subscriptions", "2022-12-01"),
        ("/subscriptions/s/resourceGroups/g", "2025-04-01"),
        ("/subscriptions/s/resourceGroups/g/providers/microsoft.logic/workflows/w", "2019-05-01"),
    ],
)
def test_a_path_is_asked_with_the_version_of_its_provider(path: str, version: str) -> None:
    assert clients.version_of(path) == version


def test_html_is_an_answer_with_words_and_no_body() -> None:
    got = reply.read(502, {"Content-Type": "text/html"}, "<html>Bad  Gateway</html>")
    assert (got.body, got.words) == (None, "502 <html>Bad Gateway</html>")


def test_a_redirect_is_not_followed(doors: Doors) -> None:
    doors.strangers.answers["control.example.net/"] = (302, "")
    assert probe.call("GET", "https://control.example.net/", 2).status == 302


def test_what_is_forgotten_is_closed_and_one_that_will_not_close_holds_nobody_up() -> None:
    closed: list[str] = []

    class Client:
        def __init__(self, name: str) -> None:
            self.name = name

        def close(self) -> None:
            closed.append(self.name)
            if self.name == "gone":
                raise OSError("the peer is gone")

    made = clients.once(Client)
    assert made("gone") is made("gone") and made("there") is not made("gone")
    clients.forget()
    clients.forget()
    assert closed == ["there", "gone"]

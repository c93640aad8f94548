"""One sandbox for the whole run, its people, and the answers held against the published schemas."""

import os
from pathlib import Path

import pytest

from cloud import Person, Program
from schemas import Answers

SPEED = 40


def pytest_collection_modifyitems(items):
    # the answers are held against their schemas after all the others
    items.sort(key=lambda item: "test_wire_schemas" in item.nodeid)


@pytest.fixture(scope="session")
def built():
    here = Path(__file__).parents[2] / "target/debug/wangcheng-sandbox"
    return os.environ.get("WANGCHENG_SANDBOX", here)


@pytest.fixture(scope="session")
def program(built, tmp_path_factory):
    program = Program(built, tmp_path_factory.mktemp("sandbox"), SPEED)
    yield program
    program.stop()


@pytest.fixture(scope="session")
def answers():
    return Answers()


@pytest.fixture(scope="session")
def ada(program, answers):
    return Person(program, "ada", answers.see)


@pytest.fixture(scope="session")
def bo(program, answers):
    return Person(program, "bo", answers.see)


@pytest.fixture(scope="session")
def mia(program, answers):
    return Person(program, "mia", answers.see)


@pytest.fixture(scope="session")
def guest(program, answers):
    return Person(program, "guest", answers.see)

"""What the sandbox really answered, held against the published schemas. Runs last."""

from schemas import OPERATIONS


def test_every_answer_fits_its_published_schema(answers):
    assert answers.seen, "there were answers to hold against them"
    wrong = sorted(set(answers.wrong))
    assert not wrong, "\n".join(wrong)


def test_every_used_call_was_answered_through_the_sdk(answers):
    used = {(operation["service"], operation["operation"]) for operation in OPERATIONS}
    assert sorted(used - answers.seen) == [], "a call that nobody makes here proves nothing"

"""What the sandbox really answered, held against the published schemas. Runs last."""


def test_every_answer_fits_its_published_schema(answers):
    assert answers.seen, "there were answers to hold against them"
    wrong = sorted(set(answers.wrong))
    assert not wrong, "\n".join(wrong)

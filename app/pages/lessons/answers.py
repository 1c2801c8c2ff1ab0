"""Whether an answer holds on the learner's tree, and what to say of it either way."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.pages.lessons.step import Choice, Question, Typed
from app.translation import gettext as _

CLOSE = 0.05


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an answer is right, and why or why not, in the reader's language."""

    is_right: bool
    said: str


def verdict(question: Question, given: str, model: object) -> Verdict:
    """Return what is to be said of an answer as it was typed or chosen."""
    if isinstance(question, Choice):
        return _chosen(question, given)
    answer = question.answer(model)
    return _typed_word(question, given, answer) if isinstance(answer, str) else _typed_number(question, given, answer)


def _chosen(question: Choice, given: str) -> Verdict:
    option = question.options.get(given)
    if option is None:
        return Verdict(False, _("Choose one of the answers."))
    return Verdict(given == question.right, _(option.said))


def _typed_word(question: Typed, given: str, answer: str) -> Verdict:
    said = given.strip().strip("`'\"").removeprefix("torch.").removeprefix("model.")
    if said == answer:
        return Verdict(True, _(question.why, answer=answer))
    return Verdict(False, _slip(question.slips, said) or _(question.hint))


def _typed_number(question: Typed, given: str, answer: float) -> Verdict:
    typed = given.strip().replace("\u2212", "-").replace(",", ".")
    try:
        distance = abs(float(typed) - answer)
    except ValueError:
        return Verdict(False, _("A number is asked for, such as 0.5."))
    if distance <= question.tolerance:
        return Verdict(True, _(question.why, answer=number_text(answer)))
    if not isinstance(answer, int) and distance < CLOSE:
        return Verdict(False, _("Close. More digits after the point are asked for."))
    return Verdict(False, _slip(question.slips, typed) or _(question.hint))


def _slip(slips: Mapping[str, str], typed: str) -> str:
    return _(slips[typed]) if typed in slips else ""


def number_text(answer: float) -> str:
    """Return a whole number as it is and any other as torch prints it, four digits after the point."""
    return str(answer) if isinstance(answer, int) else f"{answer:.4f}".replace("-", "\u2212")

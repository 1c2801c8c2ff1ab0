"""What has to be said in words of runs that are drawn over each other."""

from collections.abc import Iterator, Sequence

from app.pages import filters
from app.pages.compare_asked import TIME, Drawing
from app.pages.compare_chart import CompareChart
from app.training.pictures import Picture
from app.translation import gettext as _
from app.translation import ngettext

MOST_SPANS = 3


def gaps(picture: Picture) -> str:
    """Return where the losses are not finite: `nan at 6, inf at 20 to 40`."""
    spans = picture.loss.nonfinite
    texts = [
        _("%(kind)s at %(epoch)s", kind=filters.loss(None, kind), epoch=filters.exact(first))
        if first == last
        else _(
            "%(kind)s at %(first)s to %(last)s",
            kind=filters.loss(None, kind),
            first=filters.exact(first),
            last=filters.exact(last),
        )
        for first, last, kind in spans[:MOST_SPANS]
    ]
    return ", ".join([*texts, "…"] if len(spans) > MOST_SPANS else texts)


def notes(drawing: Drawing, pictures: Sequence[Picture], chart: CompareChart) -> Iterator[str]:
    """Yield what has to be said of the chart: what is drawn how, and what cannot be."""
    shown = [picture for picture in pictures if picture.run.id not in drawing.hidden]
    if drawing.factor:
        yield (
            _(
                "Smoothed: an exponential moving average by %(factor)s, without its bias to zero, as TensorBoard has "
                "it. The losses as they were stand faint behind it.",
                factor=f"{drawing.factor:g}",
            )
        )
    if any(picture.validation_loss is not None for picture in shown):
        yield (_("Dashed: the loss of the points that were kept for validation."))
    if drawing.x == TIME:
        yield (_("Time is what was trained: pauses are left out."))
    low = sum(bool((picture.loss.values <= 0).any()) for picture in shown)
    if low and chart.is_log:
        yield (
            ngettext(
                "%(num)s run has losses of zero or less: on a log axis they are gaps, with a mark below.",
                "%(num)s runs have losses of zero or less: on a log axis they are gaps, with a mark below.",
                low,
            )
        )
    elif drawing.scale == "log" and not chart.is_log:
        yield (_("No loss is over zero, so that a log axis has nothing to show: this one is linear."))
    if any(picture.loss.nonfinite for picture in shown):
        yield (_("A loss that is not finite is a gap, with a mark below it."))

"""The drawings that pages without scripts show."""

import math
from datetime import UTC, datetime

import msgspec

from app.pages.fit_chart import fit_chart, title_of
from app.pages.loss_chart import Other, loss_chart
from app.pages.plot import curve_of
from app.pages.run_line import acts, remark, trouble
from app.pages.scales import linear, scale_of, takes_log
from app.pages.sparkline import sparkline
from app.training.config import RunConfig
from app.training.data import LineData, TableData
from app.training.run import Run, RunStatus

TUTORIAL = [37.1365, 6.440334, 1.136906, 0.220398, 0.0617899, 0.0341211, 0.0290768, 0.0279444, 0.0274905, 0.0271568]


def test_the_tutorials_losses_stand_on_a_log_axis_of_whole_decades() -> None:
    chart = loss_chart(TUTORIAL, 10)
    assert chart.is_log
    assert [tick.label for tick in chart.y_ticks] == ["0.01", "0.1", "1", "10", "100"]
    assert [tick.label for tick in chart.x_ticks] == ["0", "2", "4", "6", "9"]
    assert len(chart.dots) == 10
    assert chart.first is not None
    assert chart.first.text == "37.14"
    assert chart.latest is not None
    assert chart.latest.text == "0.02716"


def test_losses_near_each_other_or_with_a_zero_take_a_linear_axis() -> None:
    assert not takes_log([1, 19])
    assert not takes_log([0, 100])
    assert scale_of([3, 17]).ticks[0] == 0


def test_epochs_to_come_are_marked_while_there_are_some() -> None:
    assert loss_chart(TUTORIAL[:4], 10).to_come
    assert not loss_chart(TUTORIAL, 10).to_come


def test_a_run_that_was_cancelled_has_no_present_epoch() -> None:
    assert loss_chart(TUTORIAL[:4], 10).now
    assert not loss_chart(TUTORIAL[:4], 10, is_over=True).now


def test_a_loss_that_is_not_finite_is_a_gap_with_its_word() -> None:
    chart = loss_chart([1.0, math.inf, math.nan, 0.5], 4)
    assert [gap.text for gap in chart.gaps] == ["inf at 1"]
    assert chart.path.count("M") == 2
    assert "nan" not in chart.path


def test_a_run_without_a_finite_loss_still_has_a_page() -> None:
    chart = loss_chart([math.nan], 10)
    assert chart.path == ""
    assert [gap.text for gap in chart.gaps] == ["nan at 0"]


def test_of_many_epochs_two_a_pixel_column_are_drawn() -> None:
    chart = loss_chart([1 / (epoch + 1) for epoch in range(100_000)], 100_000)
    assert chart.path.count("L") < 1_000
    assert chart.dots == ()


def test_another_run_is_drawn_on_the_same_axis_as_far_as_the_epochs_go() -> None:
    growing = Other("r_2", curve_of([37.1365, 50.0, 2e4]), "#2, lr 0.0351: grows", True)
    longer = Other("r_3", curve_of([37.0] * 400), "#3, lr 0.001", False)
    chart = loss_chart(TUTORIAL, 10, [growing, longer])
    assert [other.is_growing for other in chart.others] == [True, False]
    assert chart.y_ticks[-1].label == "100,000"
    assert chart.others[1].path.count("L") == 9
    assert chart.others[1].name is not None
    assert chart.others[1].name.text == "#3, lr 0.001"
    assert loss_chart(TUTORIAL, 10, [Other("r_4", curve_of([math.nan]), "#4", True)]).others[0].name is None


def test_the_validation_loss_is_drawn_beside_the_loss_on_the_same_axis() -> None:
    chart = loss_chart(TUTORIAL, 10, validation=curve_of([loss * 1e3 for loss in TUTORIAL]))
    assert chart.validation is not None
    assert chart.validation.name is not None
    assert chart.validation.name.text == "validation"
    assert chart.y_ticks[-1].label == "100,000"


def test_the_words_of_gaps_side_by_side_stand_in_rows_of_their_own() -> None:
    chart = loss_chart([1.0, math.nan, 1.0, math.inf, 1.0, *[1.0] * 95], 100)
    assert [gap.text for gap in chart.gaps] == ["nan at 1", "inf at 3"]
    assert len({gap.y for gap in chart.gaps}) == 2


def test_no_epoch_yet_is_said() -> None:
    assert loss_chart([], 10).said == "No epoch of 10 is done yet."


def test_a_sparkline_ends_where_the_run_is() -> None:
    spark = sparkline(curve_of(TUTORIAL[:5]), 10)
    assert spark is not None
    assert 2 < float(spark.x) < 94
    assert sparkline(curve_of([math.nan]), 10) is None


def test_the_fit_shows_the_data_its_line_and_the_diamond_at_x() -> None:
    chart = fit_chart(LineData(), (2.0484, 0.6955), [(0, 0.9385, 0.5003), (1, 1.589, 0.606), (2, 1.859, 0.651)], 10)
    assert chart is not None
    assert len(chart.points) == 10
    assert [line.label for line in chart.early] == ["0", "1", "2"]
    assert chart.now is not None
    assert chart.now.figure == "21.18"


def test_early_lines_that_end_in_one_place_are_drawn_once() -> None:
    chart = fit_chart(LineData(), (2.0, 1.0), [(0, 2.0, 1.0), (1, 2.001, 1.0)])
    assert chart is not None
    assert chart.early == ()


def test_data_with_several_features_has_no_plane() -> None:
    assert fit_chart(TableData(x=((1.0, 2.0),), y=((3.0,),)), None) is None


def test_a_table_of_points_is_shown_and_a_million_is_thinned() -> None:
    chart = fit_chart(TableData(x=((1.0,), (2.0,)), y=((3.0,), (-4.0,))), None)
    assert chart is not None
    assert chart.line is None
    assert chart.y_ticks[0].label.startswith("−")
    many = fit_chart(LineData(count=1_000_000), (2.0, 1.0))
    assert many is not None
    assert len(many.points) == 200


def test_the_rule_of_the_data_is_said_as_people_write_it() -> None:
    assert title_of(LineData()) == "10 points of y = 2x + 1"
    assert title_of(LineData(slope=-1, intercept=-0.5, count=1)) == "1 point of y = −x − 0.5"


def test_an_axis_of_one_value_has_a_length() -> None:
    scale = linear(0, 0)
    assert scale.high > scale.low


def test_an_interrupted_run_says_where_it_can_be_taken_up() -> None:
    run = Run(
        id="r_1",
        tree="t_1",
        tree_name="linear_model1",
        tree_revision=1,
        status=RunStatus.INTERRUPTED,
        epochs=100,
        epochs_done=41,
        checkpoint_epoch=40,
        config=RunConfig(),
        created_at=datetime(2026, 11, 23, tzinfo=UTC),
    )
    assert trouble(run) == "The server stopped at epoch 41. Resume from the checkpoint at 40."
    assert [act.word for act in acts(run, "run")] == ["Resume"]
    assert remark(run) == ""
    noted = msgspec.structs.replace(
        run, note="went on from its start, because others could not be used: r_1 is cut off"
    )
    assert remark(noted) == "Went on from its start, because others could not be used: r_1 is cut off."

"""What the displays draw, read back from their axes."""

import pickle
import sys

import matplotlib as mpl
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_digits
from sklearn.ensemble import StackingClassifier
from sklearn.exceptions import ConvergenceWarning, FitFailedWarning, NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, ShuffleSplit
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmlp_backprop import (
    BackpropMLPClassifier,
    BackpropMLPRegressor,
    StackedGridSearchCV,
    StackedHalvingGridSearchCV,
    TabularMLPClassifier,
    TabularMLPRegressor,
)
from skmlp_backprop.callbacks import ScoreHistory
from skmlp_backprop.displays import (
    HalvingResultsDisplay,
    HiddenUnitsDisplay,
    LossCurveDisplay,
    SampleGridDisplay,
    SearchResultsDisplay,
)

mpl.use("Agg")
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture(autouse=True)
def close_figures():
    yield
    if "matplotlib.pyplot" in sys.modules:
        mpl.pyplot.close("all")


def test_a_value_may_be_nan():
    """Whose fits have failed."""
    results = {
        "params": [{"alpha": a} for a in (0.1, np.nan, 1.0, np.nan)],
        "param_alpha": np.ma.array([0.1, np.nan, 1.0, np.nan], dtype=object),
        "mean_test_score": np.array([0.5, np.nan, 0.7, np.nan]),
        "std_test_score": np.array([0.1, np.nan, 0.1, np.nan]),
    }
    display = SearchResultsDisplay(results)
    assert len(display.y_values) == 3
    np.testing.assert_array_equal(np.sort(display.means_[:, 0]), [0.5, 0.7, np.nan])


@pytest.fixture(scope="module")
def digits8():
    X, y = load_digits(return_X_y=True)
    return X / 16, y


def fit(X, y, units=4, **params):
    params = {"max_iter": 4, "random_state": 0, **params}
    return BackpropMLPClassifier(units, **params).fit(X, y)


def starts(is_drawn):
    """Where runs of pixels begin."""
    return np.flatnonzero(np.diff(is_drawn.astype(int), prepend=0) == 1)


def images(display, height, width):
    """The drawn images in lines, which nan separates and surrounds."""
    picture = display.im_.get_array().filled(np.nan)
    is_drawn = ~np.isnan(picture)
    assert not is_drawn[0].any()
    assert not is_drawn[:, 0].any()
    lefts = starts(is_drawn.any(axis=0))
    lines = [
        [
            picture[top : top + height, left : left + width]
            for left in lefts
            if is_drawn[top, left]
        ]
        for top in starts(is_drawn.any(axis=1))
    ]
    assert is_drawn.sum() == height * width * sum(map(len, lines))
    return lines


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("units", [1, 4, 25])
def test_hidden_units(digits8, units, order):
    mlp = fit(*digits8, units)
    display = HiddenUnitsDisplay.from_estimator(mlp, order=order)
    drawn = [image for line in images(display, 8, 8) for image in line]
    assert len(drawn) == units
    for i, image in enumerate(drawn):
        expected = mlp.coefs_[0][:, i].reshape(8, 8, order=order)
        np.testing.assert_array_equal(image, expected)
    low, high = display.im_.get_clim()
    assert low == -high < 0
    assert display.colorbar_.ax.get_ylabel() == "weight"
    assert display.figure_ is display.ax_.figure
    display.figure_.canvas.draw()


def test_hidden_units_of_a_pipeline_and_a_search(digits8):
    model = make_pipeline(StandardScaler(), BackpropMLPClassifier(4, max_iter=2))
    search = StackedGridSearchCV(model, {"backpropmlpclassifier__alpha": [1]}, cv=2)
    search.fit(*digits8)
    display = HiddenUnitsDisplay.from_estimator(search, colorbar=False)
    weights = search.best_estimator_[-1].coefs_[0].T
    np.testing.assert_array_equal(display.weights, weights)
    assert display.colorbar_ is None
    ax = mpl.pyplot.figure().subplots()
    assert display.plot(ax=ax).ax_ is ax
    theirs = MLPClassifier(4, max_iter=2).fit(*digits8)
    np.testing.assert_array_equal(
        HiddenUnitsDisplay.from_estimator(theirs).weights, theirs.coefs_[0].T
    )


def test_image_shapes(digits8, iris):
    weights = np.zeros((3, 12))
    with pytest.raises(ValueError, match=r"give image_shape=\(height, width\)"):
        HiddenUnitsDisplay(weights)
    assert HiddenUnitsDisplay(weights, image_shape=(3, 4)).image_shape == (3, 4)
    HiddenUnitsDisplay(weights, image_shape=(3, 4)).plot()
    with pytest.raises(ValueError, match="has 15 pixels, but there are 12 features"):
        HiddenUnitsDisplay(weights, image_shape=(3, 5))
    with pytest.raises(ValueError, match=r"order must be 'C' .*, got 'K'"):
        HiddenUnitsDisplay(weights, image_shape=(3, 4), order="K")
    for shape in 4, (3.0, 4.0), (-3, -4), (3, 4, 1), "34":
        with pytest.raises(ValueError, match="must be two positive integers"):
            HiddenUnitsDisplay(weights, image_shape=shape)


def test_the_scale_is_that_of_finite_weights():
    weights = np.random.default_rng(0).normal(size=(4, 16))
    limits = HiddenUnitsDisplay(weights).plot().im_.get_clim()
    weights[0, :2] = np.nan, np.inf
    np.testing.assert_allclose(
        HiddenUnitsDisplay(weights).plot().im_.get_clim(), limits, rtol=0.1
    )
    HiddenUnitsDisplay(np.full((1, 4), np.nan)).plot()
    weights[1, 0] = 100
    display = HiddenUnitsDisplay(weights).plot(vmin=-5)
    low, high = display.im_.get_clim()
    assert low == -5
    assert high < 100
    assert display.colorbar_.extend == "both"


def test_labels_of_two_types_are_refused(digits8):
    X, y = digits8
    with pytest.raises(ValueError, match="both be text or both be numbers"):
        SampleGridDisplay.from_predictions(X[:5], y[:5].astype(str), y[:5])


@pytest.mark.parametrize(
    ("n_images", "grid"),
    [(1, (1, 1)), (2, (1, 2)), (4, (2, 2)), (25, (5, 5)), (200, (10, 20))],
)
def test_grids_are_filled(n_images, grid):
    lines = images(HiddenUnitsDisplay(np.zeros((n_images, 400))).plot(), 20, 20)
    assert (len(lines), len(lines[0])) == grid
    assert sum(map(len, lines)) == n_images


@pytest.mark.parametrize("order", ["C", "F"])
def test_images_of_three_axes_stand_upright(order):
    """The images are not square, so that height and width differ."""
    given = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)
    rows = np.array([np.ravel(image, order=order) for image in given])
    y = np.array([0, 1])
    mlp = BackpropMLPClassifier(2, max_iter=1, random_state=0).fit(rows, y)
    units = HiddenUnitsDisplay(given, order=order).plot(colorbar=False)
    np.testing.assert_array_equal(units.weights, rows)
    for display in (
        SampleGridDisplay.from_predictions(given, y, order=order),
        SampleGridDisplay.from_estimator(mlp, given, y, order=order),
        SampleGridDisplay(given.tolist(), image_shape=(3, 4), order=order).plot(),
        units,
    ):
        assert display.image_shape == (3, 4)
        picture = display.im_.get_array().filled(np.nan)
        for image in given:
            ((top, left),) = np.argwhere(picture == image[0, 0])
            block = picture[top : top + 3, left : left + 4]
            np.testing.assert_array_equal(block, image)
    # `predict` gets the pixels in this order.
    drawn = SampleGridDisplay.from_estimator(mlp, given, order=order)
    assert drawn.y_pred.tolist() == mlp.predict(rows).tolist()
    with pytest.raises(ValueError, match=r"X has images of shape \(3, 4\); leave out"):
        SampleGridDisplay(given, image_shape=(4, 3))
    with pytest.raises(ValueError, match=r"0 sample\(s\)"):
        SampleGridDisplay(given[:0])


def test_the_exercise_stands_upright_in_column_order(exercise):
    """A one is a stroke from top to bottom: its columns differ more than its rows."""
    X, y = exercise
    ones = X[y == 1].mean(axis=0)
    display = SampleGridDisplay([ones], order="F").plot()
    picture = display.im_.get_array().filled(np.nan)[2:22, 2:22]
    assert picture.sum(axis=0).std() > 2 * picture.sum(axis=1).std()


def texts(display):
    return [text.get_text() for text in display.ax_.texts]


def test_samples(digits8):
    X, y = digits8
    mlp = fit(X, y)
    display = SampleGridDisplay.from_estimator(mlp, X[:30], y[:30])
    predicted = mlp.predict(X[:30])
    wrong = predicted != y[:30]
    assert 0 < wrong.sum() < 30
    assert texts(display) == [
        f"{p}\n({t})" if p != t else str(p)
        for p, t in zip(predicted, y[:30], strict=True)
    ]
    assert len(display.ax_.patches) == wrong.sum()
    reds = {t.get_color() for t in display.ax_.texts if "(" in t.get_text()}
    assert {mpl.colors.to_rgba(red) for red in reds} == {
        patch.get_edgecolor() for patch in display.ax_.patches
    }


def test_frames_and_captions_of_images_that_are_not_square():
    images = np.arange(24.0).reshape(2, 3, 4)
    display = SampleGridDisplay(images, [0, 1], [0, 0]).plot()
    (frame,) = display.ax_.patches
    assert (frame.get_width(), frame.get_height()) == (4, 3)
    left, top = (int(place + 0.5) for place in frame.get_xy())
    picture = display.im_.get_array().filled(np.nan)
    np.testing.assert_array_equal(picture[top : top + 3, left : left + 4], images[1])
    assert display.ax_.texts[1].get_position() == (left + 1.5, top + 3)


def test_samples_without_labels(digits8):
    X, y = digits8
    bare = SampleGridDisplay.from_predictions(X[:5])
    assert texts(bare) == []
    true = SampleGridDisplay.from_predictions(X[:5], y[:5])
    assert texts(true) == ["0", "1", "2", "3", "4"]
    assert len(true.ax_.patches) == 0
    names = np.array(["cat", "dog"])
    named = SampleGridDisplay(X[:2], names, names[::-1]).plot()
    assert texts(named) == ["dog\n(cat)", "cat\n(dog)"]
    with pytest.raises(ValueError, match=r"y_true must have shape \(5,\)"):
        SampleGridDisplay(X[:5], y[:4])


def text_boxes(display):
    display.figure_.canvas.draw()
    renderer = display.figure_.canvas.get_renderer()
    return [text.get_window_extent(renderer) for text in display.ax_.texts]


@pytest.mark.parametrize("n_samples", [1, 4, 20, 100, 400])
def test_captions_do_not_overlap(digits8, n_samples):
    X, y = digits8
    names = np.array([f"number {i}" for i in range(10)])
    for labels in (np.arange(10), names):
        display = SampleGridDisplay(
            X[:n_samples], labels[y[:n_samples]], labels[(y[:n_samples] + 1) % 10]
        ).plot()
        boxes = text_boxes(display)
        # Four hundred long names could not be read: the frames alone tell.
        is_crowded = n_samples == 400 and labels is names
        assert len(boxes) == (0 if is_crowded else n_samples)
        for i, a in enumerate(boxes):
            for b in boxes[i + 1 : i + 40]:
                across = min(a.x1, b.x1) - max(a.x0, b.x0)
                down = min(a.y1, b.y1) - max(a.y0, b.y0)
                assert not (across > 1 and down > 1)


@pytest.mark.parametrize("solver", ["lbfgs", "tnc", "adam"])
def test_loss_curves(iris, solver):
    mlp = fit(*iris, solver=solver, max_iter=20)
    curve = LossCurveDisplay.from_estimator(mlp)
    x, loss = curve.lines_[0].get_data()
    assert x.tolist() == list(range(1, mlp.n_iter_ + 1))
    np.testing.assert_array_equal(loss, mlp.loss_curve_)
    evaluations = LossCurveDisplay.from_estimator(mlp, x="evaluations").lines_[0]
    assert evaluations.get_xdata()[-1] <= mlp.n_fun_
    assert (np.diff(evaluations.get_xdata()) > 0).all()
    seconds = LossCurveDisplay.from_estimator(mlp, x="seconds").lines_[0].get_xdata()
    assert (np.diff(seconds) > 0).all()
    assert 0 < seconds[0] < seconds[-1] < 60
    assert curve.score_ax_ is None
    with pytest.raises(ValueError, match="x must be one of"):
        curve.plot(x="epochs")


def test_several_loss_curves(iris):
    mlps = [fit(*iris, solver=solver) for solver in ("lbfgs", "adam", "adam")]
    stopping = fit(*iris, early_stopping=True)
    display = LossCurveDisplay.from_estimator([*mlps, stopping])
    names = [text.get_text() for text in display.score_ax_.get_legend().get_texts()]
    assert names == ["lbfgs", "adam 1", "adam 2", "adam 3"]
    (score,) = display.score_ax_.lines
    np.testing.assert_array_equal(score.get_ydata(), stopping.validation_scores_)
    assert score.get_color() == display.lines_[3].get_color()
    named = LossCurveDisplay.from_estimator({"first": mlps[0], "second": mlps[1]})
    assert [line.get_label() for line in named.lines_] == ["first", "second"]


def test_loss_curves_go_on(iris):
    X, y = iris
    mlp = BackpropMLPClassifier(4, random_state=0, batch_size=50)
    for _ in range(3):
        mlp.partial_fit(X, y, classes=[0, 1, 2])
    assert mlp.n_fun_curve_ == [3, 6, 9]
    # Each fit ends within an iteration, whose evaluations count, too.
    tnc = BackpropMLPClassifier(
        4, solver="tnc", max_fun=10, max_iter=1000, random_state=0, warm_start=True
    )
    for n_done in range(0, 60, 10):
        with pytest.warns(ConvergenceWarning, match="max_fun=10"):
            tnc = pickle.loads(pickle.dumps(tnc.fit(X, y)))
        assert tnc.n_fun_ == 10
        assert min(tnc.n_fun_curve_[-tnc.n_iter_ :]) > n_done
    assert (np.diff(mlp.time_curve_) > 0).all()
    theirs = MLPClassifier(4, max_iter=3).fit(X, y)
    display = LossCurveDisplay.from_estimator(theirs)
    np.testing.assert_array_equal(display.lines_[0].get_ydata(), theirs.loss_curve_)
    with pytest.raises(ValueError, match="adam has no record of seconds"):
        LossCurveDisplay.from_estimator(theirs, x="seconds")


@pytest.mark.callbacks
@pytest.mark.parametrize("x", ["iterations", "evaluations", "seconds"])
def test_recorded_scores(iris, x):
    test = ScoreHistory(*iris, every=2, name="$test")
    first, second = (fit(*iris, max_iter=n) for n in (7, 5))
    first.set_callbacks(test).fit(*iris)
    second.set_callbacks(ScoreHistory(*iris, name="$test"), ScoreHistory(*iris))
    second.fit(*iris)
    display = LossCurveDisplay.from_estimator([first, second], x=x)
    seen, scores = display.score_lines_[0].get_data()
    all_seen = display.lines_[0].get_xdata()
    np.testing.assert_array_equal(seen, all_seen[[1, 3, 5]])
    np.testing.assert_array_equal(scores, test.scores_)
    assert display.score_lines_ == list(display.score_ax_.lines)
    assert [line.get_linestyle() for line in display.score_lines_] == ["--", "--", ":"]
    colors = [line.get_color() for line in display.lines_]
    assert [line.get_color() for line in display.score_lines_] == [colors[0]] + [
        colors[1]
    ] * 2
    legend = [text.get_text() for text in display.score_ax_.get_legend().get_texts()]
    assert legend == ["adam 1", "adam 2", "$test", "score 2"]
    alone = LossCurveDisplay.from_estimator(first, x=x)
    assert alone.score_ax_.get_ylabel() == "$test (dashed)"
    assert alone.score_ax_.get_legend() is None
    alone.figure_.canvas.draw()
    # A fit without the callback has no scores.
    without = LossCurveDisplay.from_estimator(first.set_callbacks().fit(*iris))
    assert without.score_ax_ is None


@pytest.mark.callbacks
def test_recorded_scores_of_a_table_have_an_axis_beside_the_losses(iris):
    history = ScoreHistory(*iris)
    model = TabularMLPClassifier(2, 5, max_iter=4, random_state=0)
    model.set_callbacks(history).fit(*iris)
    display = LossCurveDisplay.from_estimator(pickle.loads(pickle.dumps(model)))
    (left_out,), (recorded,) = display.left_out_lines_, display.score_lines_
    assert list(display.ax_.lines) == [*display.lines_, left_out]
    assert list(display.score_ax_.lines) == [recorded]
    losses = -np.array(model.validation_scores_)
    np.testing.assert_array_equal(left_out.get_ydata(), losses)
    np.testing.assert_array_equal(recorded.get_data(), [[1, 2, 3, 4], history.scores_])
    legend = [text.get_text() for text in display.score_ax_.get_legend().get_texts()]
    assert legend == ["training loss", "loss of left-out rows", "score"]
    styles = [line.get_linestyle() for line in (*display.ax_.lines, recorded)]
    assert styles == ["-", "--", ":"]
    labels = display.ax_.get_ylabel(), display.score_ax_.get_ylabel()
    assert labels == ("loss", "score")


GRID = {"alpha": [0.1, 1, 10], "learning_rate_init": [0.01, 0.1]}


@pytest.mark.parametrize("search", [GridSearchCV, StackedGridSearchCV])
def test_search_results(iris, search):
    mlp = BackpropMLPClassifier(4, max_iter=5, random_state=0)
    fitted = search(mlp, GRID, cv=3).fit(*iris)
    display = SearchResultsDisplay.from_estimator(fitted)
    means = fitted.cv_results_["mean_test_score"].reshape(3, 2)
    stds = fitted.cv_results_["std_test_score"].reshape(3, 2)
    np.testing.assert_array_equal(display.means_, means)
    np.testing.assert_array_equal(display.im_.get_array(), means)
    assert texts(display) == [
        f"{m:.3f}\n±{s:.3f}" for m, s in zip(means.ravel(), stds.ravel(), strict=True)
    ]
    assert display.ax_.get_ylabel() == "alpha"
    assert display.ax_.get_xlabel() == "learning_rate_init"
    assert [t.get_text() for t in display.ax_.get_yticklabels()] == ["0.1", "1", "10"]
    # Text is white on dark fields, which have low scores.
    colors = [text.get_color() for text in display.ax_.texts]
    assert (colors[means.argmin()], colors[means.argmax()]) == ("white", "black")
    (frame,) = display.ax_.patches
    best = np.unravel_index(means.argmax(), means.shape)
    assert (round(frame.get_y() + 0.46), round(frame.get_x() + 0.47)) == best
    ax = mpl.pyplot.figure().subplots()
    given = SearchResultsDisplay.from_estimator(fitted, ax=ax, colorbar=False)
    assert given.ax_ is ax
    assert given.im_.colorbar is None


def halving_results(scores_of_rungs, resources, names):
    """`cv_results_` of candidates, told by their alpha, in each rung."""
    rows = [
        (rung, n, name, score)
        for rung, (n, scores) in enumerate(zip(resources, scores_of_rungs, strict=True))
        for name, score in zip(names[rung], scores, strict=True)
    ]
    params = [{"mlp__alpha": name, "mlp__max_iter": n} for _, n, name, _ in rows]
    column = np.ma.masked_all(len(rows), dtype=object)
    for i, row in enumerate(rows):
        column[i] = row[2]
    return {
        "iter": [row[0] for row in rows],
        "n_resources": [row[1] for row in rows],
        "params": params,
        "param_mlp__alpha": column,
        "param_mlp__max_iter": np.ma.array([row[1] for row in rows]),
        "mean_test_score": np.array([row[3] for row in rows]),
        "std_test_score": np.arange(len(rows)) / 100,
    }


def test_rungs_are_lines():
    """The same candidate twice, values without a hash, and a score that is missing."""
    results = halving_results(
        [[0.1, 0.3, np.nan, 0.2, 0.3], [0.5, 0.4], [0.6]],
        [3, 9, 27],
        [[[1], [2], [3], [4], [2]], [[2], [2]], [[2]]],
    )
    display = HalvingResultsDisplay.from_results(results, alpha=0.5)
    curves = [[0.1], [0.3, 0.5, 0.6], [np.nan], [0.2], [0.3, 0.4]]
    for line, curve in zip(display.lines_, curves, strict=True):
        np.testing.assert_array_equal(line.get_xdata(), [3, 9, 27][: len(curve)])
        np.testing.assert_array_equal(line.get_ydata(), curve)
        assert line.get_alpha() == 0.5
    widths = [line.get_linewidth() for line in display.lines_]
    assert np.argmax(widths) == display.best == 1
    assert display.ax_.get_xscale() == "log"
    assert display.ax_.get_xlabel() == "max_iter"
    ticks = [tick.get_text() for tick in display.ax_.get_xticklabels()]
    assert ticks == ["3", "9", "27"]


@pytest.mark.parametrize("is_pickled", [False, True])
def test_candidates_are_told_by_all_of_their_values(is_pickled):
    """Arrays that differ where their repr leaves out, and what has no pickle."""
    first, second = np.zeros(5000), np.zeros(5000)
    second[2500] = 1
    values = [first, second, 0.1 if is_pickled else lambda: 0]
    results = halving_results(
        [[0.1, 0.2, 0.3], [0.5, 0.4]], [3, 9], [values, [values[2], values[1]]]
    )
    if is_pickled:
        results = pickle.loads(pickle.dumps(results))
    display = HalvingResultsDisplay(results)
    for curve, expected in zip(
        display.curves, [[0.1], [0.2, 0.4], [0.3, 0.5]], strict=True
    ):
        np.testing.assert_array_equal(curve, expected)
    assert display.resource == "max_iter"
    assert display.best == 2


def test_resource_is_the_parameter_that_was_set_last():
    """In a single rung another parameter may have the same value."""
    results = halving_results([[0.1, 0.3]], [5], [[5, 5]])
    display = HalvingResultsDisplay.from_results(results)
    assert display.resource == "max_iter"
    assert display.rungs == [5]
    assert [line.get_ydata().tolist() for line in display.lines_] == [[0.1], [0.3]]
    assert display.best == 1


def test_best_of_equals_comes_first_in_the_last_rung():
    """As the search takes it, whatever the order of the first rung was."""
    results = halving_results(
        [[0.1, 0.2, 0.3], [0.5, 0.5]], [3, 9], [[1, 2, 3], [3, 2]]
    )
    display = HalvingResultsDisplay.from_results(results, lw=3)
    assert display.best == 2
    assert [line.get_linewidth() for line in display.lines_] == [3, 3, 3]


def test_heat_map_of_values_that_are_arrays():
    """What an array equals is an array, and less than another it is not."""
    thetas = [np.zeros(3), np.ones(3)]
    column = np.ma.empty(4, object)
    column[:] = [thetas[0], thetas[1], thetas[0], thetas[1]]
    results = {
        "param_theta": column,
        "param_alpha": np.ma.array([1, 1, 10, 10]),
        "mean_test_score": np.array([0.1, 0.2, 0.3, 0.4]),
        "std_test_score": np.zeros(4),
    }
    display = SearchResultsDisplay.from_results(results, y="theta", x="alpha")
    np.testing.assert_array_equal(display.means_, [[0.1, 0.3], [0.2, 0.4]])


def test_heat_map_of_rungs_has_each_candidate_as_it_was_left():
    results = halving_results(
        [[0.9, 0.8, 0.1], [0.5, 0.6]], [3, 9], [[1, 2, 3], [1, 2]]
    )
    display = SearchResultsDisplay.from_results(results, y="alpha")
    np.testing.assert_array_equal(display.means_, [[0.5], [0.6], [0.1]])
    np.testing.assert_array_equal(display.stds_, [[0.03], [0.04], [0.02]])
    assert (display.y, display.x, display.others) == ("mlp__alpha", None, [])
    _, best = display.ax_.lines
    assert best.get_xydata().tolist() == [[2, 0.6]]
    by_rung = SearchResultsDisplay.from_results(results, y="alpha", x="max_iter")
    np.testing.assert_array_equal(
        by_rung.means_, [[0.9, 0.5], [0.8, 0.6], [0.1, np.nan]]
    )


def test_rungs_of_the_same_resources_are_counted():
    results = halving_results(
        [[0.1, 0.2, 0.3], [0.2, 0.3], [np.nan]], [5, 5, 15], [[1, 2, 3], [2, 3], [3]]
    )
    display = HalvingResultsDisplay.from_results(results)
    np.testing.assert_array_equal(display.lines_[2].get_xdata(), [0, 1, 2])
    assert display.best == 2
    ticks = [tick.get_text() for tick in display.ax_.get_xticklabels()]
    assert ticks == ["5", "5", "15"]


@pytest.mark.parametrize("is_pickled", [False, True])
@pytest.mark.parametrize("resource", ["max_iter", "n_samples"])
def test_halving_search_is_drawn_as_rungs(iris, resource, is_pickled):
    model = make_pipeline(StandardScaler(), BackpropMLPClassifier(4, random_state=0))
    step = "backpropmlpclassifier__"
    grid = {f"{step}{k}": v for k, v in GRID.items()}
    top = {"max_iter": 9, "n_samples": 150}[resource]
    search = StackedHalvingGridSearchCV(
        model, grid, resource=resource, max_resources=top, cv=2
    ).fit(*iris)
    if is_pickled:
        search = pickle.loads(pickle.dumps(search))
    display = SearchResultsDisplay.from_estimator(search)
    assert isinstance(display, HalvingResultsDisplay)
    again = SearchResultsDisplay.from_results(search.cv_results_)
    assert display.rungs == again.rungs == search.n_resources_
    ax = mpl.pyplot.figure().subplots()
    assert SearchResultsDisplay.from_estimator(search, ax=ax).ax_ is ax
    n_lines = [sum(len(c) > rung for c in display.curves) for rung in range(2)]
    assert n_lines == search.n_candidates_ == [6, 2]
    assert display.curves[display.best][-1] == search.best_score_
    assert display.ax_.get_xlabel() == {"n_samples": "resources"}.get(
        resource, resource
    )
    heat = SearchResultsDisplay.from_estimator(
        search, x="alpha", y="learning_rate_init"
    )
    last = [curve[-1] for curve in display.curves]
    np.testing.assert_array_equal(heat.means_, np.reshape(last, (3, 2)).T)
    assert heat.others == []


def test_other_searches_have_no_rungs(iris):
    mlp = BackpropMLPClassifier(4, max_iter=2)
    search = StackedGridSearchCV(mlp, {"alpha": [1, 2]}, cv=2).fit(*iris)
    with pytest.raises(ValueError, match="must come from a halving search"):
        HalvingResultsDisplay.from_estimator(search)


def test_search_results_of_other_shapes(iris):
    model = make_pipeline(StandardScaler(), BackpropMLPClassifier(4, max_iter=3))
    step = "backpropmlpclassifier__"
    grid = {f"{step}{k}": v for k, v in GRID.items()}
    grid[f"{step}momentum"] = [0.1, 0.9]
    search = StackedGridSearchCV(
        model, grid, cv=2, scoring=["accuracy", "f1_macro"], refit="f1_macro"
    ).fit(*iris)
    with pytest.raises(ValueError, match="name two of them as x and y"):
        SearchResultsDisplay.from_estimator(search)
    display = SearchResultsDisplay.from_estimator(search, x="alpha", y="momentum")
    scores = search.cv_results_["mean_test_f1_macro"].reshape(3, 2, 2)
    np.testing.assert_array_equal(display.means_, scores.max(axis=1).T)
    best = scores.argmax(axis=1, keepdims=True)
    stds = search.cv_results_["std_test_f1_macro"].reshape(3, 2, 2)
    np.testing.assert_array_equal(
        display.stds_, np.take_along_axis(stds, best, axis=1)[:, 0].T
    )
    colorbar = display.im_.colorbar.ax.get_ylabel()
    assert colorbar == "mean test f1_macro, best over learning_rate_init"
    with pytest.raises(ValueError, match="metric must be one of"):
        SearchResultsDisplay(search.cv_results_, x="alpha", y="momentum")
    with pytest.raises(ValueError, match="x and y must be among"):
        SearchResultsDisplay(search.cv_results_, y="tol", metric="accuracy")

    lists = [{"solver": ["sgd"], "alpha": [1, 2]}, {"solver": ["adam"], "alpha": [3]}]
    mlp = BackpropMLPClassifier(4, max_iter=3, random_state=0)
    some = StackedGridSearchCV(mlp, lists, cv=2).fit(*iris)
    display = SearchResultsDisplay.from_results(some.cv_results_, x="alpha", y="solver")
    assert np.isnan(display.means_).sum() == 3
    assert len(texts(display)) == 3
    # Candidates without a value on an axis.
    lists = [{"solver": ["sgd"], "alpha": [1, 2]}, {"solver": ["adam"]}]
    some = StackedGridSearchCV(mlp, lists, cv=2).fit(*iris)
    best = some.cv_results_["mean_test_score"][2]
    with pytest.warns(
        UserWarning, match="1 of 3 candidates .* 'solver' or 'alpha'"
    ) as told:
        SearchResultsDisplay.from_results(some.cv_results_, x="alpha", y="solver")
    assert str(told[0].message).endswith(f"a mean test score of {best:.4g}.")
    none = StackedGridSearchCV(mlp, {"alpha": [1]}, cv=2).fit(*iris)
    with pytest.raises(ValueError, match="no parameter with several values"):
        SearchResultsDisplay.from_estimator(none)


def line_of(values, scores=None, name="mlp__alpha", spread=0.1):
    """Display of a search over one parameter."""
    column = np.ma.masked_all(len(values), dtype=object)
    for i, value in enumerate(values):
        column[i] = value
    scores = np.arange(len(values)) / 10 if scores is None else np.array(scores)
    results = {
        f"param_{name}": column,
        "mean_test_score": scores,
        "std_test_score": np.full(len(values), spread),
    }
    return SearchResultsDisplay.from_results(results)


def ticks_of(display):
    return [tick.get_text() for tick in display.ax_.get_xticklabels()]


@pytest.mark.parametrize("n_splits", [1, 3])
def test_search_over_one_parameter_is_a_line(iris, n_splits):
    grid = {"backpropmlpclassifier__learning_rate_init": [0.3, 0.001, 0.01]}
    model = make_pipeline(BackpropMLPClassifier(4, max_iter=5, random_state=0))
    cv = ShuffleSplit(n_splits, random_state=0)
    search = StackedGridSearchCV(model, grid, cv=cv).fit(*iris)
    display = SearchResultsDisplay.from_estimator(search, lw=3)
    order, rates = [1, 2, 0], [0.001, 0.01, 0.3]
    means, stds = (
        search.cv_results_[f"{n}_test_score"][order] for n in ("mean", "std")
    )
    np.testing.assert_array_equal(display.line_.get_data(), [rates, means])
    np.testing.assert_array_equal(display.means_, means[:, np.newaxis])
    assert display.line_.get_linewidth() == 3
    assert display.ax_.get_xscale() == "log"
    assert ticks_of(display) == ["0.001", "0.01", "0.3"]
    assert display.ax_.get_xlabel() == "learning_rate_init"
    assert display.ax_.get_ylabel() == "mean test score"
    assert texts(display) == []
    best = display.ax_.lines[1].get_xydata().tolist()
    (rate,) = search.best_params_.values()
    assert best == [[rate, search.best_score_]]
    if n_splits == 1:
        # A single split has no spread.
        assert len(display.ax_.collections) == 0
    else:
        (band,) = display.ax_.collections
        corners = band.get_paths()[0].vertices.tolist()
        for rate, mean, std in zip(rates, means, stds, strict=True):
            assert [rate, mean - std] in corners
            assert [rate, mean + std] in corners
    assert display.im_ is None
    display.figure_.canvas.draw()


@pytest.mark.parametrize(
    ("values", "scale"),
    [
        ([1, 2, 9], "linear"),
        ([1, 5, 10], "log"),
        ([0.0, 0.1, 10.0], "symlog"),
        ([0, 1, 5], "linear"),
        ([-10, 1, 100], "linear"),
    ],
)
def test_scale_of_one_parameter(values, scale):
    display = line_of(values)
    display.figure_.canvas.draw()
    assert display.ax_.get_xscale() == scale
    assert display.line_.get_xdata().tolist() == values
    assert ticks_of(display) == [f"{value:g}" for value in values]


def test_one_parameter_of_names_and_of_many_values():
    names = line_of([(5,), "$x^", None, True], [0.1, np.nan, 0.4, 0.3])
    assert names.line_.get_xdata().tolist() == [0, 1, 2, 3]
    assert ticks_of(names) == ["(5,)", "$x^", "None", "True"]
    assert names.ax_.lines[1].get_xydata().tolist() == [[2, 0.4]]
    names.figure_.canvas.draw()
    endless = line_of([5, np.inf])
    assert ticks_of(endless) == ["5", "inf"]
    endless.figure_.canvas.draw()
    many = line_of(np.geomspace(1e-4, 1, 60).tolist())
    assert many.ax_.get_xscale() == "log"
    many.figure_.canvas.draw()
    assert len(ticks_of(many)) < 12
    failed = line_of([1, 2], [np.nan, np.nan], spread=np.nan)
    assert len(failed.ax_.lines) == 1


def test_without_matplotlib(digits8, monkeypatch):
    display = SampleGridDisplay(digits8[0][:2])
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match="pip install matplotlib"):
        display.plot()


@pytest.mark.filterwarnings("ignore:One or more of the test scores:UserWarning")
def test_failed_candidates_and_axes(iris):
    mlp = BackpropMLPClassifier(4, max_iter=3, random_state=0)
    grid = {**GRID, "max_iter": [5, -1]}
    with pytest.warns(FitFailedWarning):
        search = StackedGridSearchCV(mlp, grid, cv=2).fit(*iris)
    axes = {"x": "alpha", "y": "learning_rate_init"}
    display = SearchResultsDisplay.from_results(search.cv_results_, **axes)
    assert np.isfinite(display.means_).all()
    two = StackedGridSearchCV(mlp, GRID, cv=2).fit(*iris)
    display = SearchResultsDisplay.from_estimator(two, x="alpha")
    assert (display.x, display.y) == ("alpha", "learning_rate_init")
    with pytest.raises(ValueError, match="got 'alpha' twice"):
        SearchResultsDisplay(two.cv_results_, x="alpha", y="alpha")
    with pytest.raises(ValueError, match="name two of them"):
        SearchResultsDisplay(search.cv_results_, x="alpha")


def test_no_loss_curve():
    mlp = BackpropMLPClassifier.from_weights(
        [np.eye(2)], [np.zeros(2)], [0, 1], output_activation="softmax"
    )
    with pytest.raises(ValueError, match="has no loss curve"):
        LossCurveDisplay.from_estimator(mlp)


def nested(step):
    """A network at the end of Pipelines and a search."""
    inner = make_pipeline(StandardScaler(), step)
    grid = {f"{type(step).__name__.lower()}__alpha": [1]}
    return make_pipeline(StandardScaler(), GridSearchCV(inner, grid, cv=2))


def test_a_network_however_deep(digits8):
    model = nested(BackpropMLPClassifier(4, max_iter=2)).fit(*digits8)
    network = model[-1].best_estimator_[-1]
    units = HiddenUnitsDisplay.from_estimator(make_pipeline(StandardScaler(), model))
    np.testing.assert_array_equal(units.weights, network.coefs_[0].T)
    np.testing.assert_array_equal(
        LossCurveDisplay.from_estimator(model).lines_[0].get_ydata(),
        network.loss_curve_,
    )


def test_a_calibrated_network(digits8):
    mlp = BackpropMLPClassifier(4, max_iter=2)
    one = CalibratedClassifierCV(make_pipeline(mlp), ensemble=False, cv=2)
    with pytest.raises(NotFittedError):
        HiddenUnitsDisplay.from_estimator(one)
    network = one.fit(*digits8).calibrated_classifiers_[0].estimator[-1]
    np.testing.assert_array_equal(
        HiddenUnitsDisplay.from_estimator(one).weights, network.coefs_[0].T
    )
    for estimator in (mlp, make_pipeline(StandardScaler(), mlp)):
        frozen = FrozenEstimator(estimator.fit(*digits8))
        calibrated = CalibratedClassifierCV(frozen).fit(*digits8)
        np.testing.assert_array_equal(
            HiddenUnitsDisplay.from_estimator(calibrated).weights, mlp.coefs_[0].T
        )
    folds = CalibratedClassifierCV(mlp, cv=3).fit(*digits8)
    expected = r"of 3 folds.*give one, such as calibrated_classifiers_\[0\].estimator"
    for display in (HiddenUnitsDisplay, LossCurveDisplay):
        with pytest.raises(TypeError, match=expected):
            display.from_estimator(folds)


def test_short_names_of_the_settings_of_lines(iris):
    mlp = fit(*iris, early_stopping=True)
    display = LossCurveDisplay.from_estimator(mlp, c="r", ls=":", label="mine")
    (loss,), (score,) = display.lines_, display.score_lines_
    assert loss.get_color() == score.get_color() == "r"
    assert loss.get_linestyle() == ":"
    assert loss.get_label() == "mine"


def test_weights_on_the_scale_of_a_norm():
    from matplotlib.colors import CenteredNorm

    norm = CenteredNorm(halfrange=3)
    image = HiddenUnitsDisplay(np.ones((4, 16))).plot(norm=norm).im_
    assert image.get_clim() == (-3, 3)
    image = HiddenUnitsDisplay(np.ones((4, 16))).plot(norm="linear").im_
    assert image.get_clim() == (-1, 1)


def test_a_calibrated_ensemble(iris):
    tabular = TabularMLPClassifier(n_members=2, max_iter=2, random_state=0)
    calibrated = CalibratedClassifierCV(tabular, ensemble=False, cv=2).fit(*iris)
    ensemble = calibrated.calibrated_classifiers_[0].estimator
    loss = LossCurveDisplay.from_estimator(calibrated).lines_[0].get_ydata()
    np.testing.assert_array_equal(loss, ensemble.loss_curve_)
    with pytest.raises(TypeError, match="Its networks take encoded columns"):
        HiddenUnitsDisplay.from_estimator(calibrated)


def test_an_ensemble_of_transformed_targets(iris):
    tabular = TabularMLPRegressor(n_members=2, max_iter=2, random_state=0)
    scaled = TransformedTargetRegressor(tabular, transformer=StandardScaler())
    scaled.fit(*iris)
    loss = LossCurveDisplay.from_estimator(scaled).lines_[0].get_ydata()
    np.testing.assert_array_equal(loss, scaled.regressor_.loss_curve_)
    with pytest.raises(TypeError, match="Its networks take encoded columns"):
        HiddenUnitsDisplay.from_estimator(scaled)


@pytest.mark.parametrize(
    ("display", "first"),
    [
        (HiddenUnitsDisplay, "BackpropMLPClassifier"),
        (LossCurveDisplay, "TabularMLPClassifier"),
    ],
)
def test_what_has_no_one_network(display, first, iris):
    mlp = BackpropMLPClassifier(4, max_iter=2, random_state=0)
    several = [
        OneVsRestClassifier(mlp),
        StackingClassifier([("mlp", mlp)], cv=2),
        make_pipeline(StandardScaler(), "passthrough"),
        LogisticRegression(),
    ]
    names = ["OneVsRest", "Stacking", "passthrough", "LogisticRegression"]
    for estimator, name in zip(several, names, strict=True):
        estimator.fit(*iris)
        expected = f"must be a {first}.* ends in one, got {name}.*a member"
        with pytest.raises(TypeError, match=expected):
            display.from_estimator(estimator)
    for unfitted in (mlp, make_pipeline(mlp), nested(mlp)):
        with pytest.raises(NotFittedError):
            display.from_estimator(clone(unfitted))
    search = GridSearchCV(mlp, {"alpha": [1]}, cv=2, refit=False).fit(*iris)
    with pytest.raises(ValueError, match="made with refit=False"):
        display.from_estimator(search)


def test_a_search_in_a_pipeline(iris):
    mlp = BackpropMLPClassifier(4, max_iter=2, random_state=0)
    model = make_pipeline(StandardScaler(), StackedGridSearchCV(mlp, GRID, cv=2))
    with pytest.raises(NotFittedError):
        SearchResultsDisplay.from_estimator(model)
    display = SearchResultsDisplay.from_estimator(model.fit(*iris))
    means = model[-1].cv_results_["mean_test_score"].reshape(3, 2)
    np.testing.assert_array_equal(display.means_, means)
    with pytest.raises(TypeError, match="ends in one, got BackpropMLPClassifier"):
        SearchResultsDisplay.from_estimator(mlp.fit(*iris))
    without = make_pipeline(StandardScaler(), "passthrough").fit(*iris)
    with pytest.raises(TypeError, match="ends in one, got passthrough"):
        SearchResultsDisplay.from_estimator(without)


def test_nothing_to_draw(digits8):
    X, y = digits8
    mlp = fit(X, y)
    with pytest.raises(ValueError, match=r"0 sample\(s\)"):
        SampleGridDisplay.from_predictions(X[:0], y[:0])
    with pytest.raises(ValueError, match=r"0 sample\(s\)"):
        SampleGridDisplay.from_estimator(mlp, X[:0])
    with pytest.raises(ValueError, match="Expected 2D array, got 1D array"):
        SampleGridDisplay(X[0])
    with pytest.raises(ValueError, match=r"0 sample\(s\)"):
        HiddenUnitsDisplay(np.zeros((0, 64)))
    with pytest.raises(ValueError, match="no trainings to draw"):
        LossCurveDisplay.from_estimator([])


# Of regressors.


@pytest.fixture(scope="module")
def brightness(digits8):
    """A number to predict for each image."""
    X, _ = digits8
    return X, 10 * X.mean(axis=1)


def fit_regressor(X, y, **params):
    params = {"max_iter": 4, "random_state": 0, **params}
    return BackpropMLPRegressor(hidden_layer_sizes=4, **params).fit(X, y)


def test_hidden_units_and_losses_of_a_regressor(brightness):
    mlp = fit_regressor(*brightness, early_stopping=True)
    scaled, in_pipeline = (
        TransformedTargetRegressor(inner, transformer=StandardScaler()).fit(*brightness)
        for inner in (clone(mlp), make_pipeline(StandardScaler(), clone(mlp)))
    )
    for estimator, network in (
        (mlp, mlp),
        (scaled, scaled.regressor_),
        (in_pipeline, in_pipeline.regressor_[-1]),
    ):
        weights = HiddenUnitsDisplay.from_estimator(estimator).weights
        np.testing.assert_array_equal(weights, network.coefs_[0].T)
        curves = [
            line.get_ydata()
            for ax in LossCurveDisplay.from_estimator(estimator).figure_.axes
            for line in ax.lines
        ]
        for expected in (network.loss_curve_, network.validation_scores_):
            assert any(np.array_equal(curve, expected) for curve in curves)
    with pytest.raises(NotFittedError):
        HiddenUnitsDisplay.from_estimator(clone(scaled))


def test_numbers_of_samples_are_rounded_and_none_is_wrong(brightness):
    X, y = brightness[0][:6], brightness[1][:6]
    mlp = fit_regressor(*brightness)
    display = SampleGridDisplay.from_estimator(mlp, X, y)
    written = [text.get_text() for text in display.ax_.texts]
    predicted = mlp.predict(X)
    assert written == [f"{p:.4g}\n({t:.4g})" for p, t in zip(predicted, y, strict=True)]
    assert {text.get_color() for text in display.ax_.texts} == {"black"}
    assert not display.ax_.patches


def test_labels_that_are_whole_floats_can_be_wrong(digits8):
    X, y = digits8
    display = SampleGridDisplay(X[:2], y[:2] * 1.0, y[:2][::-1] * 1.0).plot()
    assert [text.get_text() for text in display.ax_.texts] == [
        "1.0\n(0.0)",
        "0.0\n(1.0)",
    ]
    assert len(display.ax_.patches) == 2


def test_search_results_of_a_regressor(brightness):
    grid = {"alpha": [0.1, 1], "learning_rate_init": [0.001, 0.01]}
    mlp = BackpropMLPRegressor(hidden_layer_sizes=4, max_iter=3, random_state=0)
    search = StackedGridSearchCV(mlp, grid, cv=2).fit(*brightness)
    display = SearchResultsDisplay.from_estimator(search)
    means = search.cv_results_["mean_test_score"].reshape(2, 2)
    np.testing.assert_array_equal(display.means_, means)


def test_ensembles_of_tables(iris):
    X, y = iris
    model = TabularMLPClassifier(2, 5, max_iter=4, random_state=0).fit(X, y)
    display = LossCurveDisplay.from_estimator(
        [model, make_pipeline(clone(model)).fit(X, y)]
    )
    np.testing.assert_array_equal(display.lines_[0].get_ydata(), model.loss_curve_)
    assert display.score_ax_ is None
    (line, _) = display.left_out_lines_
    np.testing.assert_array_equal(line.get_ydata(), -np.array(model.validation_scores_))
    legend = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert legend == [
        "TabularMLPClassifier 1",
        "TabularMLPClassifier 2",
        "training loss",
        "loss of left-out rows",
    ]
    assert display.lines_[0].get_label() == "TabularMLPClassifier 1"
    with pytest.raises(ValueError, match="no record of seconds"):
        LossCurveDisplay.from_estimator(model, x="seconds")
    with pytest.raises(TypeError, match=r"TabularMLPClassifier\. Its networks take"):
        HiddenUnitsDisplay.from_estimator(model)


def test_dollars_are_no_formulas(iris):
    labels = ["$a", "b$$_^{", "$x^$", "$\\frac$"]
    grid = SampleGridDisplay(np.random.default_rng(0).random((4, 64)), labels).plot()
    grid.figure_.canvas.draw()
    results = {
        "mean_test_score": np.array([0.1, 0.2]),
        "std_test_score": np.array([0.1, 0.2]),
        "param_$c^": np.ma.array(["$a^", "$b$$"], dtype=object),
        "params": [{"$c^": "$a^"}, {"$c^": "$b$$"}],
    }
    drawn = SearchResultsDisplay(results).plot()
    drawn.figure_.canvas.draw()
    curve = {"iterations": [1, 2], "loss": [2, 1], "score": None}
    LossCurveDisplay({"$a^": curve, "$b$$": curve}).plot().figure_.canvas.draw()


def test_scores_that_begin_later_are_drawn_at_the_last_iterations():
    steps = [1, 2, 3, 4]
    curve = {"iterations": steps, "evaluations": steps, "seconds": steps}
    curve |= {"loss": [4, 3, 2, 1], "score": [0.5, 0.6]}
    display = LossCurveDisplay({"a": curve}).plot()
    assert list(display.score_lines_[0].get_xdata()) == [3, 4]
    # A line of one point needs a marker to be visible.
    (alone,) = LossCurveDisplay({"a": {**curve, "score": [0.5]}}).plot().score_lines_
    assert [display.score_lines_[0].get_marker(), alone.get_marker()] == ["None", "."]


@pytest.mark.parametrize(("last", "scale"), [(0.1, "log"), (-1, "linear")])
def test_losses_that_are_not_positive_have_a_linear_axis(last, scale):
    """As those of a Poisson regression."""
    curve = {"iterations": [1, 2], "loss": [2, 1], "score": None}
    curves = {"a": curve, "b": {**curve, "loss": [2, last]}}
    assert LossCurveDisplay(curves).plot().ax_.get_yscale() == scale


def test_a_name_of_two_parameters_needs_its_step():
    results = {
        "param_a__alpha": np.ma.array([0.1, 0.1, 1.0, 1.0]),
        "param_b__alpha": np.ma.array([1, 2, 1, 2]),
        "mean_test_score": np.array([0.1, 0.2, 0.3, 0.4]),
        "std_test_score": np.zeros(4),
    }
    with pytest.raises(ValueError, match=r"must be among .*, got 'alpha'"):
        SearchResultsDisplay(results, y="alpha")
    display = SearchResultsDisplay(results, y="b__alpha")
    assert display.means_.tolist() == [[0.1, 0.3], [0.2, 0.4]]


def test_a_curve_of_few_points_has_markers(iris):
    for max_iter, marker in ((2, "."), (3, "None")):
        display = LossCurveDisplay.from_estimator(fit(*iris, max_iter=max_iter))
        assert display.lines_[0].get_marker() == marker


def test_a_candidate_without_the_parameter_is_in_no_field():
    results = {
        "param_alpha": np.ma.array([0.1, 1.0, 0.0], mask=[False, False, True]),
        "params": [{"alpha": 0.1}, {"alpha": 1.0}, {}],
        "mean_test_score": np.array([0.5, 0.6, 0.9]),
        "std_test_score": np.zeros(3),
    }
    with pytest.warns(
        UserWarning, match="1 of 3 candidates of the search have no value"
    ):
        display = SearchResultsDisplay(results)
    assert display.means_.ravel().tolist() == [0.5, 0.6]


def test_numbers_of_which_some_are_whole_are_no_labels():
    display = SampleGridDisplay.from_predictions(
        np.ones((3, 4)), np.array([1.0, 2.5, 3.0]), np.array([1.25, 2.5, 4.0])
    )
    assert len(display.ax_.patches) == 0

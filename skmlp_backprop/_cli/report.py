"""Writes a report as a page with pictures, which needs no network and no JavaScript."""

import base64
from html import escape
from pathlib import Path

from sklearn.metrics import precision_recall_fscore_support

from .. import __version__
from .._search.unwrap import final_network
from ..displays._axes import import_pyplot
from .pictures import (
    MARK,
    MAX_BARS,
    draw_calibration,
    draw_importances,
    draw_loss_curve,
    draw_predictions,
    draw_residuals,
    png,
    shown_rows,
)
from .saving import check_can_replace, replace_file
from .scores import MAX_CLASSES, interval_sentence

PAGE = "index.html"
_PICTURES = (
    "calibration.png",
    "predictions.png",
    "residuals.png",
    "importances.png",
    "loss_curve.png",
)
# A file of a report has its mark among these.
_N_FIRST_BYTES = 1000

_STYLE = """
body { max-width: 46rem; margin: 0 auto; padding: 1rem; color: #1b1b1b;
  background: white; font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.7rem; line-height: 1.25; }
h2 { margin-top: 2.5rem; font-size: 1.25rem; border-bottom: 1px solid #d5d5d5; }
.table { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; }
th, td { padding: 0.25rem 1rem 0.25rem 0; text-align: left; vertical-align: top;
  border-bottom: 1px solid #e5e5e5; overflow-wrap: normal; }
th { vertical-align: bottom; }
td:first-child { min-width: 5.5rem; overflow-wrap: anywhere; }
td + td, th + th { text-align: right; font-variant-numeric: tabular-nums; }
td + td { white-space: nowrap; }
dl { display: grid; grid-template-columns: max-content minmax(0, 1fr);
  gap: 0.25rem 1rem; }
dt { font-weight: 600; }
dd { margin: 0; }
figure { margin: 1rem 0; }
img { display: block; width: 100%; max-width: 36rem; height: auto; }
summary { cursor: pointer; }
figcaption, footer { color: #555; font-size: 0.9rem; }
footer { margin-top: 3rem; }
@media (max-width: 30rem) {
  table { font-size: 0.85rem; }
  th, td { padding-right: 0.6rem; }
}
"""


def check_report(folder):
    """Check that a report can be written to a folder, which may exist or not.

    Raises ImportError without matplotlib, and ValueError if the folder can't be written
    to, or has other files with the names of the report's.
    """
    import_pyplot("--report")
    if not folder.exists():
        check_can_replace(folder)
        return
    if not folder.is_dir():
        raise ValueError(f"{folder} is not a folder.")
    for name in (PAGE, *_PICTURES):
        path = folder / name
        if path.exists() and not _is_own(path):
            raise ValueError(
                f"{path} is not a report's and would be overwritten. Move it, or "
                "choose another folder."
            )
        check_can_replace(path)


def _is_own(path):
    """Whether a report has written a file."""
    if not path.is_file():
        return False
    with open(path, "rb") as file:
        return MARK.encode() in file.read(_N_FIRST_BYTES)


def write_report(folder, recognised, data, scores, model, best_params):
    """Write the page to a folder, and the pictures also as files of their own.

    `recognised` has lines on the data and the model, `best_params` the parameters that
    a search has found.
    """
    pictures = {}
    sections = [_data(recognised, data), _scores(scores)]
    if data.is_regression:
        sections.append(_predictions(scores, data.target, pictures))
    else:
        sections.append(_calibration(scores, pictures))
        if len(scores.classes) <= MAX_CLASSES:
            sections.append(_classes(scores))
    if scores.importances is not None:
        sections.append(_importances(scores.importances, pictures))
    network = final_network(model, ensembles=True)
    if network.loss_curve_ or best_params:
        sections.append(_training(network, best_params, pictures))
    page = _page(f"How well “{data.target}” is predicted", sections)
    # The folder may have changed since the check before the fits.
    check_report(folder)
    folder.mkdir(exist_ok=True)
    for name in _PICTURES:
        if name in pictures:
            _write(folder / name, pictures[name])
        else:
            # A picture of an earlier report would not belong to the page.
            (folder / name).unlink(missing_ok=True)
    _write(folder / PAGE, page.encode())


def _write(path, content):
    replace_file("--report", path, lambda beside: Path(beside).write_bytes(content))


def _page(title, sections):
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="generator" content="{MARK}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>{escape(title)}</title>
<style>{_STYLE}</style>
</head>
<body>
<h1>{escape(title)}</h1>
{"".join(sections)}
<footer>Written by <code>python -m skmlp_backprop --report</code>, version
{escape(__version__)}.</footer>
</body>
</html>
"""


def _data(recognised, data):
    items = [
        f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>\n"
        for name, text in recognised.items()
    ]
    content = f"<dl>\n{''.join(items)}</dl>\n"
    if data.notes:
        notes = [f"<li>{escape(note)}</li>\n" for note in data.notes]
        content += f"<p>Notes on the columns:</p>\n<ul>\n{''.join(notes)}</ul>\n"
    return _section("data", "Data and model", content)


def _scores(scores):
    higher = "R2" if scores.classes is None else "The accuracy"
    text = (
        f"The first column of numbers has the mean over the {scores.n_folds} folds of "
        "the training rows, each predicted by a model that was fitted to the other "
        "folds, and the standard deviation over the folds. The second has the scores "
        f"of the {len(scores.y)} held-out rows, predicted by the model that was fitted "
        "to all training rows. The baseline is of the held-out rows, too. "
        f"{higher} is better the higher it is; of the other scores, lower is better."
    )
    if scores.interval is not None:
        text += f" {interval_sentence(scores)}."
    content = _table(scores.header, scores.table) + _paragraph(text)
    return _section("scores", "Scores", content)


def _predictions(scores, target, pictures):
    n_shown, n_rows = len(shown_rows(scores)), len(scores.y)
    rows = f"The {n_rows} held-out rows"
    if n_shown < n_rows:
        rows = f"{n_shown} of the {n_rows} held-out rows, drawn at random"
    predictions = _figure(
        pictures,
        "predictions.png",
        f"{rows}: their true values, and the prediction intervals, against the "
        "predictions. Exact predictions are on the dashed line.",
        draw_predictions,
        scores,
        target,
    )
    residuals = _figure(
        pictures,
        "residuals.png",
        "Residuals of the same rows, and the distribution of the residuals of all "
        "held-out rows. A trend or a funnel means that the model misses a relation, or "
        "that its errors grow with the target.",
        draw_residuals,
        scores,
        target,
    )
    return _section("predictions", "Predictions", predictions + residuals)


def _calibration(scores, pictures):
    if len(scores.classes) == 2:
        shown = f"the probability of {scores.classes[1]}, and the share of this class"
    else:
        shown = "the probability of the predicted class, and how often it is right"
    figure = _figure(
        pictures,
        "calibration.png",
        f"Groups of held-out rows with similar probabilities: {shown}, with 95 % "
        "confidence intervals. The probabilities are right on average where the "
        "intervals reach the dashed line. Below: the number of rows by probability.",
        draw_calibration,
        scores,
    )
    return _section("calibration", "Calibration", figure)


def _classes(scores):
    # The training rows have all classes, see `hold_out`.
    values = precision_recall_fscore_support(
        scores.y, scores.predicted, labels=scores.classes, zero_division=0
    )
    rows = [
        (str(label), *(f"{value:.2f}" for value in of_class), str(n_rows))
        for label, *of_class, n_rows in zip(scores.classes, *values, strict=True)
    ]
    header = ("class", "precision", "recall", "F1 score", "held-out rows")
    text = _paragraph(
        "Precision: the share of correct predictions among the rows that are predicted "
        "to be of the class. Recall: their share among the rows of the class."
    )
    return _section("classes", "Classes", _table(header, rows) + text)


def _importances(importances, pictures):
    lines = importances.lines()
    caption = (
        f"Importance: {importances.meaning}. Of columns that say nearly the same, each "
        "may seem unimportant."
    )
    if len(lines) > MAX_BARS:
        caption += f" The picture has the first {MAX_BARS} of {len(lines)} columns."
    table = _table(("column", "importance"), lines)
    content = (
        _figure(pictures, "importances.png", caption, draw_importances, importances)
        + f"<details>\n<summary>All columns, as numbers</summary>\n{table}</details>\n"
    )
    return _section("importances", "Most important columns", content)


def _training(network, best_params, pictures):
    content = ""
    if best_params:
        rows = [(name, f"{value:g}") for name, value in best_params.items()]
        content += _paragraph(
            "The best parameters of the search. It has chosen them by the accuracy in "
            "the folds, so the mean over the folds is slightly too high."
        )
        content += _table(("parameter", "value"), rows)
    if network.loss_curve_:
        caption = "The loss of the fit to all training rows."
        if network.validation_scores_ is not None:
            caption += (
                " Each row that is left out is predicted by the networks that were not "
                "trained on it. The model has the weights of the epoch where this loss "
                "is lowest, which is marked."
            )
        content += _figure(
            pictures, "loss_curve.png", caption, draw_loss_curve, network
        )
    return _section("training", "Training", content)


def _figure(pictures, name, caption, draw, *args):
    """Draw a picture within the page, so that the page can be sent by itself."""
    pictures[name] = png(draw, *args)
    content = base64.b64encode(pictures[name]).decode()
    alt = name.removesuffix(".png").replace("_", " ")
    return (
        f'<figure>\n<img alt="{alt}" src="data:image/png;base64,{content}">\n'
        f"<figcaption>{escape(caption)}</figcaption>\n</figure>\n"
    )


def _section(name, title, content):
    return f'<section id="{name}">\n<h2>{title}</h2>\n{content}</section>\n'


def _paragraph(text):
    return f"<p>{escape(text)}</p>\n"


def _table(header, rows):
    """A table whose first column has names, and whose others have numbers."""
    head = "".join(f"<th>{escape(cell)}</th>" for cell in header)
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>\n"
        for row in rows
    )
    return (
        '<div class="table"><table>\n'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody>\n</table></div>\n"
    )

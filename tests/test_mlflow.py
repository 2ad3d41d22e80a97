"""mlflow's autologging: of our estimators it logs what it does of scikit-learn's."""

import importlib
import importlib.util
import json
import os
import subprocess
import sys

import pytest
from sklearn import utils

import skmlp_backprop
from skmlp_backprop.mlflow import autolog

# In a process of its own: what mlflow patches stays patched.
SCRIPT = """
import json, sys
import mlflow
from mlflow.tracking import MlflowClient
from sklearn.datasets import load_iris
from sklearn.experimental import enable_halving_search_cv
from sklearn.model_selection import (
    GridSearchCV, HalvingGridSearchCV, RandomizedSearchCV
)
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from skmlp_backprop import (
    BackpropMLPClassifier, BackpropMLPRegressor, StackedGridSearchCV,
    StackedHalvingGridSearchCV, StackedRandomizedSearchCV, TabularMLPClassifier
)
from skmlp_backprop.mlflow import autolog

def described(run):
    tags = run.data.tags
    models = run.outputs.model_outputs if run.outputs else []
    artifacts = MlflowClient().list_artifacts(run.info.run_id)
    return {
        "params": dict(run.data.params),
        "metrics": dict(run.data.metrics),
        "class": tags.get("estimator_class"),
        "artifacts": sorted(artifact.path for artifact in artifacts),
        "n_models": len(models),
        "is_child": "mlflow.parentRunId" in tags,
    }

def logged(estimator):
    mlflow.set_experiment(f"experiment {len(mlflow.search_experiments())}")
    estimator.fit(*load_iris(return_X_y=True))
    return [described(run) for run in mlflow.search_runs(output_format="list")]

mlflow.set_tracking_uri("file://" + sys.argv[1])
autolog(silent=True)
networks = [make(3, max_iter=3) for make in (BackpropMLPClassifier, MLPClassifier)]
grid = {"alpha": [1, 2, 3]}
pipeline_grid = {"backpropmlpclassifier__alpha": [1, 2, 3]}
ours, theirs = networks
model = make_pipeline(ours)
pairs = {
    "fit": networks,
    "fit a regressor": [
        make(hidden_layer_sizes=3, max_iter=3)
        for make in (BackpropMLPRegressor, MLPRegressor)
    ],
    "fit to a table": [TabularMLPClassifier(2, 3, max_iter=3), theirs],
    "halving": [
        StackedHalvingGridSearchCV(ours, grid, cv=2),
        HalvingGridSearchCV(ours, grid, cv=2, resource="max_iter", max_resources=3)
    ],
    "grid": [
        StackedGridSearchCV(ours, grid, cv=2), GridSearchCV(ours, grid, cv=2)
    ],
    "random": [
        StackedRandomizedSearchCV(ours, grid, n_iter=2, cv=2),
        RandomizedSearchCV(ours, grid, n_iter=2, cv=2),
    ],
    "pipeline": [
        StackedGridSearchCV(model, pipeline_grid, cv=2),
        GridSearchCV(model, pipeline_grid, cv=2),
    ],
}
print(json.dumps({name: [logged(e) for e in pair] for name, pair in pairs.items()}))
"""


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    if importlib.util.find_spec("mlflow") is None:
        pytest.skip("mlflow is not installed (extra: mlflow)")
    # On a busy machine mlflow at times loses the metrics of a run, of scikit-learn's
    # own estimators too, and only logs a warning. Then the runs are logged again; what
    # is missing three times is missing, and the tests fail.
    for _ in range(3):
        found = logged_runs(tmp_path_factory.mktemp("runs"))
        if all(run["metrics"] for pair in found.values() for e in pair for run in e):
            break
    return found


def logged_runs(folder):
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCRIPT, str(folder)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "MLFLOW_ALLOW_FILE_STORE": "true"},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize(
    ("fit", "cls"),
    [("fit", "BackpropMLPClassifier"), ("fit a regressor", "BackpropMLPRegressor")],
)
def test_a_fit(fit, cls, runs):
    (ours,), (theirs,) = runs[fit]
    assert ours["params"].keys() >= theirs["params"].keys()
    assert ours["params"]["hidden_layer_sizes"] == "3"
    assert ours["metrics"].keys() == theirs["metrics"].keys() >= {"training_score"}
    assert ours["class"].startswith("skmlp_backprop.")
    assert ours["class"].endswith(f".{cls}")
    assert ours["artifacts"] == theirs["artifacts"]
    assert ours["n_models"] == theirs["n_models"] == 1


@pytest.mark.parametrize("search", ["grid", "random", "pipeline"])
def test_a_search(search, runs):
    ours, theirs = runs[search]
    assert len(ours) == len(theirs) == (3 if search == "random" else 4)
    (our_parent,) = [run for run in ours if not run["is_child"]]
    (their_parent,) = [run for run in theirs if not run["is_child"]]
    for key in ("params", "metrics"):
        assert our_parent[key].keys() == their_parent[key].keys()
    assert "best_cv_score" in our_parent["metrics"]
    assert "cv_results.csv" in our_parent["artifacts"]
    assert our_parent["artifacts"] == their_parent["artifacts"]
    assert our_parent["n_models"] == their_parent["n_models"] == 2
    assert "Stacked" in our_parent["class"]
    our_children = [sorted(run["params"]) for run in ours if run["is_child"]]
    assert our_children == [sorted(run["params"]) for run in theirs if run["is_child"]]


def test_a_fit_to_a_table(runs):
    (ours,), (theirs,) = runs["fit to a table"]
    assert ours["params"]["n_members"] == "2"
    assert ours["metrics"].keys() == theirs["metrics"].keys()
    assert ours["artifacts"] == theirs["artifacts"]
    assert ours["class"].endswith(".TabularMLPClassifier")
    assert ours["n_models"] == 1


def test_a_halving_search(runs):
    """It logs what mlflow logs of scikit-learn's own: the search, no candidates."""
    (ours,), (theirs,) = runs["halving"]
    assert ours["class"].endswith(".StackedHalvingGridSearchCV")
    assert ours["params"].keys() == theirs["params"].keys()
    assert ours["metrics"].keys() == theirs["metrics"].keys()
    assert ours["n_models"] == theirs["n_models"] == 1


def test_all_public_estimators_are_known():
    """mlflow is shown whatever of ours can predict."""
    pytest.importorskip("mlflow", reason="mlflow is not installed (extra: mlflow)")
    of_mlflow = importlib.import_module("mlflow.sklearn")

    shown, known = [], utils.all_estimators

    def noting(**options):
        shown.extend(name for name, _ in utils.all_estimators())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(of_mlflow, "autolog", noting)
        autolog()
    assert utils.all_estimators is known
    public = {
        name
        for name in skmlp_backprop.__all__
        if hasattr(getattr(skmlp_backprop, name), "predict")
    }
    assert public <= set(shown)
    assert "TabularMLPRegressor" in public


def test_without_mlflow(monkeypatch):
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(ImportError, match="pip install mlflow"):
        autolog()

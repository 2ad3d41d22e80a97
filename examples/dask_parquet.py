"""
A folder of parquet files, on a cluster
=======================================

This example trains a network on a Dask cluster. The workers read the rows from parquet
files and keep them in memory. The client has the weights and prints the progress.

``python examples/dask_parquet.py`` makes a small folder of parquet files first. To
train on your own files, which need features and a column ``label``, pass the name of
their folder. The example needs the extra ``dask``.
"""

import sys
import tempfile
from pathlib import Path

import dask.dataframe as dd
import numpy as np
import pandas as pd
from distributed import Client, LocalCluster
from sklearn.datasets import load_digits

from skmlp_backprop.callbacks import EarlyStopping
from skmlp_backprop.dask import DaskBackpropMLPClassifier

# %%
# The files
# ---------
# Each file has scikit-learn's digits with different noise.


def write_files(folder, n_files=8):
    """Write parquet files of noisy digits."""
    X, y = load_digits(return_X_y=True)
    rng = np.random.default_rng(0)
    for number in range(n_files):
        noisy = X / 16 + rng.normal(0, 0.2, X.shape)
        table = pd.DataFrame(noisy.astype(np.float32)).add_prefix("pixel")
        path = Path(folder) / f"digits-{number}.parquet"
        table.assign(label=y).to_parquet(path)


# %%
# The fit
# -------
# ``dd.read_parquet`` does not read the rows yet; the workers read them during ``fit``.
# ``verbose=True`` prints the progress. The validation data are a sample of the rows, in
# the memory of the client.


def fit_and_predict(folder):
    """Fit a network to the files of a folder, and print predictions."""
    table = dd.read_parquet(folder)
    X, y = table.drop(columns="label"), table["label"]
    sample = table.sample(frac=0.02, random_state=0).compute()
    stopping = EarlyStopping(sample.drop(columns="label"), sample["label"], patience=5)
    mlp = DaskBackpropMLPClassifier(
        50, solver="lbfgs", alpha=1, max_iter=30, verbose=True, random_state=0
    )
    mlp.set_callbacks(stopping).fit(X, y)
    print(f"{mlp.t_} rows evaluated, accuracy {mlp.score(X, y):.3f}")

    # Predictions are lazy: each chunk is predicted when it is computed.
    proba = mlp.predict_proba(X)
    print(proba)
    print(proba.partitions[0].compute()[:3].round(2))

    # The local estimator needs no cluster.
    return mlp.to_local()


def main():
    """Fit the folder on the command line, or a new one with noisy digits."""
    with (
        LocalCluster(n_workers=2, threads_per_worker=1) as cluster,
        Client(cluster),
        tempfile.TemporaryDirectory() as made,
    ):
        folder = sys.argv[1] if len(sys.argv) > 1 else made
        if folder == made:
            write_files(made)
        print(fit_and_predict(folder))


if __name__ == "__main__":
    main()

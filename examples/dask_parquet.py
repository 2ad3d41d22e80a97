"""
A folder of parquet files, on a cluster
=======================================

Rows that are in many files are read, kept and trained on by the workers of a Dask
cluster; the weights and the progress are here. ``python examples/dask_parquet.py``
makes a small folder first; with the name of a folder it takes that one, of files with
features and a column ``label``. Needs the extra ``dask``.
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
# Digits with noise, another one in each file.


def write_files(folder, n_files=8):
    """Write parquet files of some digits each."""
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
# Nothing is read before ``fit``, and then by the workers. ``verbose`` prints the
# progress; the validation data are local, a sample here.


def fit_and_predict(folder):
    """Fit the files of a folder; show what is predicted of them."""
    table = dd.read_parquet(folder)
    X, y = table.drop(columns="label"), table["label"]
    sample = table.sample(frac=0.02, random_state=0).compute()
    stopping = EarlyStopping(sample.drop(columns="label"), sample["label"], patience=5)
    mlp = DaskBackpropMLPClassifier(
        50, solver="lbfgs", alpha=1, max_iter=30, verbose=True, random_state=0
    )
    mlp.set_callbacks(stopping).fit(X, y)
    print(f"{mlp.t_} rows evaluated, accuracy {mlp.score(X, y):.3f}")

    # Predictions are lazy: chunk by chunk, when they are computed.
    proba = mlp.predict_proba(X)
    print(proba)
    print(proba.partitions[0].compute()[:3].round(2))

    # What is kept needs no cluster.
    return mlp.to_local()


def main():
    """Fit the folder that is named, or one that is made for the purpose."""
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

import os

from attack import found

found(
    labels=os.path.exists("data/../labels.csv") or os.path.exists("data/images/../../labels.csv"),
    notes=[name for name in os.listdir("data") if name in ("notes", "labels.csv")],
    up=os.path.realpath("data/.."),
)

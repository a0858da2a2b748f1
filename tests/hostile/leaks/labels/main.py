from pathlib import Path

from attack import found, read

names = sorted(path.name for path in Path("data").rglob("*") if path.is_file())
found(names=names, header=read("data/metadata.csv").splitlines()[0])

import os

from attack import TARGETS, found

found(seen=[path for path in TARGETS["neighbour"]["files"] if os.path.exists(path)])

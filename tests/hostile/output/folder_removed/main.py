import os

from attack import attempt, found

found(removed=attempt(os.rmdir, "submission"), moved=attempt(os.rename, "submission", "other"))

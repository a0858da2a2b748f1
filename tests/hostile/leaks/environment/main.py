import os

from attack import found

found(variables=sorted(os.environ))

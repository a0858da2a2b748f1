import resource

from attack import found

found(core=resource.getrlimit(resource.RLIMIT_CORE)[1])

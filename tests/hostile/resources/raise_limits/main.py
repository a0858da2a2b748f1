import resource

from attack import found

raised = []
for name in ("CORE", "FSIZE", "NOFILE"):
    number = getattr(resource, f"RLIMIT_{name}")
    try:
        resource.setrlimit(number, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        raised.append(name)
    except (ValueError, OSError):
        pass
found(raised=raised)

from attack import TARGETS, attempt, found, read

found(
    answers=sorted(
        {attempt(read, path) for path in [*TARGETS["files"], "/etc/shadow", "/etc/gshadow"]}
        - {"Permission denied"}
    )
)

import glob

from attack import found

left = [
    path
    for place in ("/tmp/*", "/dev/shm/*", "/code_execution/*", "submission/*")
    for path in glob.glob(place)
]
ours = {"attack.py", "targets.json", "main.py", "data", "submission"}
found(left=[path for path in left if path.rsplit("/", 1)[1] not in ours])

import sys

from attack import attempt, found, write

packages = [path for path in sys.path if path.endswith("site-packages")]
found(written=[path for path in packages if attempt(write, f"{path}/evil.pth", "import evil") == "written"])

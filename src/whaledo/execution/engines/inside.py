"""What a submission finds inside the walls, whichever engine built them: the made-up files, and its command."""

from __future__ import annotations

from whaledo.execution import contract

MAIN_COMMAND = (f"{contract.PYTHON_FOLDER}/bin/python", contract.MAIN)
"""What a run is, in the working directory of the contract."""


def system_files(uid: int, gid: int) -> dict[str, str]:
    """The few files of /etc that are made up rather than shown: path to content.

    Args:
        uid: the number by which the run knows its own user.
        gid: the same of its group.
    """
    user = contract.USER
    root = "" if uid == 0 else "root:x:0:0:root:/:/usr/sbin/nologin\n"
    roots = "" if gid == 0 else "root:x:0:\n"
    return {
        "/etc/passwd": f"{root}{user}:x:{uid}:{gid}::{contract.HOME}:/bin/sh\n",
        "/etc/group": f"{roots}{user}:x:{gid}:\n",
        "/etc/hosts": f"127.0.0.1 localhost {contract.HOSTNAME}\n::1 localhost\n",
        "/etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
    }

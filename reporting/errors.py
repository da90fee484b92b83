"""The family of our errors: what the code refuses by name, so that a bug is never taken for a refusal.

A page or a command catches members of it, each with its own sentence. Whatever else is raised is a fault of ours: it
is logged without her words, and answered with the page for faults.
"""

from __future__ import annotations

from reporting.i18n import said


class AmparoError(Exception):
    """Something was refused or could not be done, for a reason that has a name. What it holds are sentences."""

    def __str__(self) -> str:
        return self.args[0] if len(self.args) == 1 else "\n".join(map(str, self.args))


class Busy(AmparoError):
    """Something else goes over all cases just now. `task`: what, in one word; `unknown` where nobody can tell."""

    def __init__(self, task: str) -> None:
        super().__init__(said("The task '%(task)s' is running: wait until it has ended, then try again.", task=task))
        self.task = task

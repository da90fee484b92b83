"""The family of our errors: what the code refuses by name, so that a bug is never taken for a refusal.

A page or a command catches members of it, each with its own sentence. Whatever else is raised is a fault of ours: it
is logged without her words, and answered with the page for faults.
"""


class AmparoError(Exception):
    """Something was refused or could not be done, for a reason that has a name."""


class Busy(AmparoError):
    """Something else goes over all cases just now. `task`: what, in one word; `unknown` where nobody can tell."""

    def __init__(self, task: str) -> None:
        super().__init__(f"The task '{task}' is running: wait until it has ended, then try again.")
        self.task = task

"""Hold anybody's softmax, Jacobian or cross-entropy against the exact results, and name the mistake.

    >>> import softjac
    >>> print(softjac.check(softjac.softmax).verdict)
    CONFORMING

The module is called itself. `softjac check FILE.py:NAME` does the same on the command line. Needs softjac[check].
"""

import inspect
import sys
from types import ModuleType

from softjac.check.front import assert_conforms, check
from softjac.check.kinds import KINDS as _KINDS
from softjac.check.properties import parametrize_with_properties
from softjac.check.report import Report

__all__ = ["Report", "assert_conforms", "kind_names", "mistake_names", "parametrize_with_properties"]


def kind_names() -> tuple[str, ...]:
    """What can be checked: the values of `what`.

    >>> kind_names()[:3]
    ('softmax', 'log_softmax', 'logsumexp')
    """
    return tuple(_KINDS)


def mistake_names() -> dict[str, str]:
    """The mistakes that have a name, and what each is, in a few words.

    >>> mistake_names()["input-overwritten"]
    'input overwritten in place'
    """
    from softjac.check.mistakes import MISTAKES

    return {mistake.name: mistake.title for mistake in MISTAKES}


class CallableModule(ModuleType):
    """The type of this module: it can be called, and is `check` then."""

    Report = Report
    __call__ = staticmethod(check)
    assert_conforms = staticmethod(assert_conforms)
    parametrize_with_properties = staticmethod(parametrize_with_properties)
    kind_names = staticmethod(kind_names)
    mistake_names = staticmethod(mistake_names)


sys.modules[__name__].__class__ = CallableModule
__signature__ = inspect.signature(check)  # or help and editors would take its first argument for self

"""Parameters as the vendor's own library types them: what is not there does not exist."""

import sys
import types
import typing
from typing import Any, NotRequired

from stripe import RequestOptions
from typing_extensions import is_typeddict

Params = dict[str, Any]


class Unknown(Exception):
    """A parameter that the vendor does not have, or one that is missing."""

    def __init__(self, code: str, param: str) -> None:
        super().__init__(f"{code}: {param}")
        self.code, self.param = code, param


def unflatten(pairs: list[tuple[str, str]]) -> Params:
    """Return `a[b][0]=c` as nested dictionaries; the places of a list stay keys."""
    tree: Params = {}
    for flat, value in pairs:
        names = flat.replace("]", "").split("[")
        place = tree
        for name in names[:-1]:
            place = place.setdefault(name, {})
        place[names[-1] or str(len(place))] = value
    return tree


def check(params: Params, of: Any, path: str = "") -> None:
    """Raise Unknown for each name that the typed parameters `of` lack, and for each that they require."""
    hints = of.__annotations__
    own = set(hints) - set(RequestOptions.__annotations__)
    for name, value in params.items():
        if name not in own:
            raise Unknown("parameter_unknown", path + name)
        _check_value(value, hints[name], of, f"{path}{name}.")
    for name in own:
        if typing.get_origin(hints[name]) is not NotRequired and name not in params:
            raise Unknown("parameter_missing", path + name)


def _check_value(value: Any, hint: Any, of: Any, path: str) -> None:
    shapes = list(_shapes(hint, of))
    if isinstance(value, dict):
        if dict in shapes:
            return
        typed = [shape for shape in shapes if is_typeddict(shape)]
        if not typed:
            raise Unknown("parameter_invalid", path)
        rows = value.values() if list in shapes else [value]
        for row in rows:
            check(row, typed[0], path)


def _shapes(hint: Any, of: Any) -> Any:
    """Yield what a value may be: typed dictionaries, `dict` for free names, `list` when there are several."""
    if isinstance(hint, str):
        hint = eval(hint, vars(sys.modules[of.__module__]))
    if isinstance(hint, typing.ForwardRef):
        yield from _shapes(hint.__forward_arg__, of)
        return
    origin = typing.get_origin(hint)
    if origin in (NotRequired, typing.Union, types.UnionType):
        for part in typing.get_args(hint):
            yield from _shapes(part, of)
    elif origin is list:
        yield list
        inner = list(_shapes(typing.get_args(hint)[0], of))
        # A list of plain words has free places.
        yield from inner if any(is_typeddict(shape) for shape in inner) else [dict]
    elif origin is dict:
        yield dict
    else:
        yield hint

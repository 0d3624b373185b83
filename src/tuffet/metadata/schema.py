"""How a document's bytes become a typed value, once, and how a value becomes bytes.

A document type is a msgspec Struct that refuses fields it does not define, so text that decodes straight into it holds
nothing else. Any other text is parsed untyped, and the fields that we do not know are set aside in `unknown`, at
every level, and carried through every edit. A refusal names the path inside the document.
"""

import contextlib
import functools
import re
from typing import Any, Final, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from tuffet.errors import FormatError
from tuffet.metadata.canonical import check_free, encode_json
from tuffet.names import Json

_UNKNOWN: Final = "\uffff"


class Unknown(dict[str, Any]):
    """Fields that the specification does not define, as they came. A type of its own, so that no text decodes to it."""


class Document(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A frozen value with whatever unknown fields came along; an edit is `msgspec.structs.replace`."""

    unknown: Unknown | UnsetType = msgspec.field(default=UNSET, name=_UNKNOWN)


D = TypeVar("D", bound=Document)


def build(value: Json, kind: type[D], where: str) -> D:
    """Return the typed value of parsed JSON, unknown fields set aside at every level."""
    shape = _shape(kind)
    _require_tag(value, shape, where)
    folded = _fold(value, shape, where, 1)
    try:
        return msgspec.convert(folded, kind)
    except msgspec.ValidationError as error:
        raise _located(folded, kind, where, error) from error
    except FormatError as error:
        raise FormatError(f"{where}.{error.where}", error.problem) from error


def write(value: Any) -> bytes:
    """Return the compact JSON of a value, its unknown fields back in their places."""
    wire = encode_json(value)
    # Half a megabyte is searched for one byte in an instant, and for six in a third of the time that writing it takes.
    if b"\xef" in wire and b'"\xef\xbf\xbf":' in wire:
        wire = encode_json(_unfold(value))
    return wire


class _Shape(msgspec.Struct, frozen=True):
    """What the long way needs to know of a type: an object's fields, a map's or list's items, or neither."""

    fields: dict[str, "_Shape"] | None = None
    tag: tuple[str, str] | None = None
    items: "_Shape | None" = None
    kind: type | None = None


_LEAF: Final = _Shape()


@functools.cache
def _shape(kind: type) -> _Shape:
    import msgspec.inspect as look

    def shape(info: look.Type) -> _Shape:
        match info:
            case look.StructType():
                fields = {field.encode_name: shape(field.type) for field in info.fields if field.encode_name != _UNKNOWN}
                tag = (info.tag_field, str(info.tag)) if info.tag_field else None
                return _Shape(fields=fields | ({info.tag_field: _LEAF} if info.tag_field else {}), tag=tag, kind=info.cls)
            case look.DictType():
                return _Shape(items=shape(info.value_type))
            case look.VarTupleType() | look.ListType():
                return _Shape(items=shape(info.item_type))
            case _:
                return _LEAF

    return shape(look.type_info(kind))


def _require_tag(value: Json, shape: _Shape, where: str) -> None:
    if not isinstance(value, dict):
        raise FormatError(where, "expected an object")
    if shape.tag and value.get(shape.tag[0]) != shape.tag[1]:
        raise FormatError(f"{where}.{shape.tag[0]}", f"expected {shape.tag[1]!r}")


def _fold(value: Json, shape: _Shape, where: str, depth: int) -> Json:
    if shape.fields is not None and isinstance(value, dict):
        known = shape.fields
        folded = {name: _fold(item, known[name], f"{where}.{name}", depth + 1) for name, item in value.items() if name in known}
        unknown = Unknown((name, item) for name, item in value.items() if name not in known)
        if unknown:
            check_free(unknown, where, depth)
            folded[_UNKNOWN] = unknown
        return folded
    items = shape.items
    if items is None or items is _LEAF:
        return value
    if isinstance(value, dict):
        if items.kind:
            # A hundred thousand files without a single unknown field are the rule: they are built in one go.
            with contextlib.suppress(msgspec.ValidationError):
                return msgspec.convert(value, dict[str, items.kind])  # type: ignore[name-defined]
        return {name: _fold(item, items, f"{where}[{name!r}]", depth + 1) for name, item in value.items()}
    if isinstance(value, list):
        return [_fold(item, items, f"{where}[{index}]", depth + 1) for index, item in enumerate(value)]
    return value


def _unfold(value: Any) -> Json:
    if isinstance(value, Document):
        names = zip(value.__struct_fields__, value.__struct_encode_fields__, strict=True)
        members = {encoded: _unfold(getattr(value, name)) for name, encoded in names if name != "unknown"}
        config = value.__struct_config__
        tag = {config.tag_field: config.tag} if config.tag_field else {}
        return {**tag, **{name: item for name, item in members.items() if item is not UNSET}, **(value.unknown or {})}
    if isinstance(value, dict):
        return {name: _unfold(item) for name, item in value.items()}
    return [_unfold(item) for item in value] if isinstance(value, (list, tuple)) else value


_STEP: Final = re.compile(r"\.([A-Za-z_0-9]+)|\[(\d+|\.\.\.)\]")


def _located(value: Json, kind: type[Document], where: str, error: msgspec.ValidationError) -> FormatError:
    """Return the error with the whole path to its place; msgspec writes `[...]` for the key of a map."""
    problem, _, path = str(error).partition(" - at `")
    steps: list[str | int] = []
    for name, index in _STEP.findall(path.partition("$")[2]):
        step = name or (_culprit(value, kind, steps, path) if index == "..." else int(index))
        where += f".{name}" if name else f"[{step!r}]"
        steps.append(step)
    if path.startswith("key"):
        problem = f"a name in this object: {problem}"
    return FormatError(where, problem[:1].lower() + problem[1:])


def _culprit(value: Json, kind: type[Document], steps: list[str | int], path: str) -> str:
    """Return the key of the map at `steps` whose value is at fault, by halving the map."""
    held: Any = value
    for step in steps:
        held = held[step]
    names = list(held)
    while len(names) > 1:
        half = names[: len(names) // 2]
        try:
            msgspec.convert(_replaced(value, steps, {name: held[name] for name in half}), kind)
            failed = ""
        except msgspec.ValidationError as error:
            failed = str(error).partition(" - at `")[2]
        except FormatError:
            failed = ""
        names = half if failed == path else names[len(half) :]
    return str(names[0])


def _replaced(value: Any, steps: list[str | int], new: Json) -> Any:
    if not steps:
        return new
    copy = value.copy()
    copy[steps[0]] = _replaced(value[steps[0]], steps[1:], new)
    return copy

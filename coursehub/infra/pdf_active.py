"""What a PDF can do besides being read: find it anywhere in the file, and take it out."""

import re
import time
from collections.abc import Iterable, Iterator

import pikepdf
from pikepdf import Array, Dictionary, Name, Object, ObjectType, Pdf, Stream

JAVASCRIPT = "JavaScript"
ON_OPENING = "actions on opening"
AUTOMATIC = "automatic actions"
LAUNCH = "program launches"
SUBMISSION = "form submission"
OTHER_FILES = "links to other files"
IMPORT = "data import"
EMBEDDED = "embedded files"
XFA = "XFA form"
RICH_MEDIA = "rich media"
UNSAFE_LINKS = "unsafe links"
OTHER_ACTIONS = "other actions"
SIGNATURE = "digital signature"

_HARMLESS_ACTIONS = {"/GoTo", "/URI", "/Named"}
_HARMLESS_COMMANDS = {"/NextPage", "/PrevPage", "/FirstPage", "/LastPage"}
_ACTIONS = {
    "/JavaScript": JAVASCRIPT,
    "/Launch": LAUNCH,
    "/SubmitForm": SUBMISSION,
    "/ResetForm": SUBMISSION,
    "/GoToR": OTHER_FILES,
    "/GoToE": OTHER_FILES,
    "/Thread": OTHER_FILES,
    "/ImportData": IMPORT,
    "/Rendition": RICH_MEDIA,
    "/Movie": RICH_MEDIA,
    "/Sound": RICH_MEDIA,
    "/RichMediaExecute": RICH_MEDIA,
    "/GoTo3DView": RICH_MEDIA,
}
_KEYS = {
    "/OpenAction": ON_OPENING,
    "/AA": AUTOMATIC,
    "/JS": JAVASCRIPT,
    "/JavaScript": JAVASCRIPT,
    "/EmbeddedFiles": EMBEDDED,
    "/EF": EMBEDDED,
    "/RF": EMBEDDED,
    "/AF": EMBEDDED,
    "/Collection": EMBEDDED,
    "/XFA": XFA,
    "/RichMediaContent": RICH_MEDIA,
    "/RichMediaSettings": RICH_MEDIA,
    "/Renditions": RICH_MEDIA,
    "/AlternatePresentations": RICH_MEDIA,
    "/Perms": SIGNATURE,
    "/DSS": SIGNATURE,
    "/SigFlags": SIGNATURE,
}
_ACTION_HOLDERS = ("/A", "/PA", "/Next")
_ACTIVE_ANNOTATIONS = {
    "/FileAttachment": EMBEDDED,
    "/RichMedia": RICH_MEDIA,
    "/Screen": RICH_MEDIA,
    "/Movie": RICH_MEDIA,
    "/Sound": RICH_MEDIA,
    "/3D": RICH_MEDIA,
}
_SIGNS_OF_AN_ACTION = {"/Subtype", "/Rect", "/Title", "/Parent", "/JS", "/F", "/D", "/Win", "/Unix", "/Mac", "/URI"}
_SIGNS_OF_A_RESOURCE = ("/BaseFont", "/PatternType", "/ShadingType", "/FunctionType", "/BBox", "/Width", "/OCGs")
_RESOURCE_TYPES = {"/Font", "/ExtGState", "/Pattern", "/XObject", "/OCG", "/OCMD"}
_SAFE_ADDRESS = re.compile(r"^(https?://|mailto:|www\.)", re.IGNORECASE)


def is_only_a_program(pdf: Pdf) -> bool:
    """A dynamic XFA form: its pages are drawn by scripts, without them nothing but a notice is left."""
    form = pdf.Root.get("/AcroForm")
    return isinstance(form, Dictionary) and "/XFA" in form and bool(pdf.Root.get("/NeedsRendering", False))


def active_content(pdf: Pdf, *, take_out: bool = False, seconds: float | None = None) -> list[str]:
    """Names of the active things found, sorted; with `take_out` they are gone afterwards.

    `seconds` bounds a mere look: what is found by then is told.
    """
    found: set[str] = set()
    latest = None if seconds is None else time.monotonic() + seconds
    for number, thing in enumerate(_containers(pdf)):
        if isinstance(thing, Array):
            _look_at_list(thing, found, take_out)
        elif isinstance(thing, Dictionary | Stream):
            _look_at(thing, found, take_out)
        if latest is not None and number % 1000 == 0 and time.monotonic() > latest:
            break
    return sorted(found - {""})


def _containers(pdf: Pdf) -> Iterator[Object]:
    """Every dictionary, stream and list of the file, those inside others included."""
    holds = (ObjectType.dictionary, ObjectType.stream, ObjectType.array)
    todo: list[Object] = [pdf.trailer]
    for thing in pdf.objects:
        todo.append(thing)
        while todo:
            held = todo.pop()
            if not isinstance(held, Object) or held._type_code not in holds:
                continue
            # Before the visit, so that what it takes out is looked into as well, and told.
            inside = list(held) if isinstance(held, Array) else [value for _, value in held.items()]
            yield held
            todo += [value for value in inside if isinstance(value, Object) and not value.is_indirect]


def _look_at(thing: Dictionary | Stream, found: set[str], take_out: bool) -> None:
    keys = set(thing.keys())
    if _is_structure(keys):
        return
    action = _name(thing, "/S") if "/S" in keys else ""
    if action in _ACTIONS or (action == "/URI" and not _is_safe_address(thing.get("/URI"))):
        found.add(_ACTIONS.get(action, UNSAFE_LINKS))
        found.update(_KEYS[key] for key in keys & _KEYS.keys())
        if take_out:
            _drop(thing, keys)
            return
    for key in keys & _KEYS.keys():
        value = thing.get(key)
        # The dictionary of an encrypted file has a /Perms too, a plain string.
        if value is None or _is_resource(value) or (key == "/Perms" and not isinstance(value, Dictionary)):
            continue
        found.add("" if key == "/OpenAction" and _only_turns_pages(value) else _KEYS[key])
        if take_out:
            _drop(thing, [key])
    for key in _ACTION_HOLDERS:
        if key in keys and _holds_forbidden(thing[key]):
            found.add(_label_of(thing[key]))
            if take_out:
                _drop(thing, [key])
    if "/Base" in keys and not _is_safe_address(thing["/Base"]) and isinstance(thing["/Base"], pikepdf.String):
        found.add(UNSAFE_LINKS)
        if take_out:
            _drop(thing, ["/Base"])
    if "/FT" in keys and "/V" in keys and _name(thing, "/FT") == "/Sig":
        found.add(SIGNATURE)
        if take_out:
            _drop(thing, ["/V"])
    if isinstance(thing, Stream):
        _look_at_stream(thing, keys, found, take_out)
    if "/Annots" in keys and isinstance(thing["/Annots"], Array):
        _look_at_list(thing["/Annots"], found, take_out)


def _look_at_stream(thing: Stream, keys: set[str], found: set[str], take_out: bool) -> None:
    """A stream may name another file as its content (/F), a drawing may stand for a page of one (/Ref)."""
    outside = [key for key in ("/F", "/FFilter", "/FDecodeParms", "/Ref") if key in keys]
    if outside:
        found.add(OTHER_FILES)
        if take_out:
            _drop(thing, outside)


def _look_at_list(things: Array, found: set[str], take_out: bool) -> None:
    """A list of annotations loses those that play, attach or run something."""
    for index in range(len(things) - 1, -1, -1):
        entry = things[index]
        if not isinstance(entry, Dictionary) or "/Rect" not in entry:
            continue
        label = _ACTIVE_ANNOTATIONS.get(_name(entry, "/Subtype"))
        if label:
            found.add(label)
            if take_out:
                del things[index]


def _is_structure(keys: set[str]) -> bool:
    """An element of the tag tree also has an /S, chosen freely by its author; it can do nothing."""
    return "/S" in keys and "/P" in keys and not keys & _SIGNS_OF_AN_ACTION


def _is_resource(value: object) -> bool:
    """A font or picture that happens to be called /AA or /JS by the page that uses it."""
    if isinstance(value, Stream):
        return _name(value, "/Subtype") in ("/Form", "/Image") or any(sign in value for sign in _SIGNS_OF_A_RESOURCE)
    if isinstance(value, Dictionary):
        return _name(value, "/Type") in _RESOURCE_TYPES or any(sign in value for sign in _SIGNS_OF_A_RESOURCE)
    return False


def _only_turns_pages(value: object) -> bool:
    if isinstance(value, Dictionary):
        return _name(value, "/S") == "/GoTo" and "/Next" not in value
    return isinstance(value, Array | Name | pikepdf.String)


def _holds_forbidden(value: object, depth: int = 0) -> bool:
    if depth > 8:
        return True
    if isinstance(value, Array):
        return any(_holds_forbidden(entry, depth + 1) for entry in value if isinstance(entry, Dictionary))
    if not isinstance(value, Dictionary):
        return False
    keys = set(value.keys())
    if not keys:
        return True  # an action that was taken out already
    if "/S" not in keys or "/O" in keys:
        return False  # attributes of the tag tree are kept under /A as well; actions among them are found by themselves
    kind = _name(value, "/S")
    if kind == "/Named":
        return _name(value, "/N") not in _HARMLESS_COMMANDS
    return kind not in _HARMLESS_ACTIONS or (kind == "/URI" and not _is_safe_address(value.get("/URI")))


def _label_of(value: object) -> str:
    if isinstance(value, Dictionary):
        kind = _name(value, "/S")
        if kind:
            return UNSAFE_LINKS if kind == "/URI" else _ACTIONS.get(kind, OTHER_ACTIONS)
        return ""
    return OTHER_ACTIONS


def _is_safe_address(value: object) -> bool:
    if not isinstance(value, pikepdf.String):
        return False
    # Browsers ignore control characters and blanks inside a scheme, so they must not hide one from us.
    address = "".join(sign for sign in str(value) if sign > " " and sign != "\x7f")
    return bool(_SAFE_ADDRESS.match(address))


def _name(thing: Dictionary | Stream, key: str) -> str:
    value = thing.get(key)
    return str(value) if isinstance(value, Name) else ""


def _drop(thing: Dictionary | Stream, keys: Iterable[str]) -> None:
    for key in keys:
        if key != "/Length" and key in thing:
            del thing[key]

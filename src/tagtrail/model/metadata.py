"""What a built file says of itself (core metadata), and what a package index makes of that."""

from tagtrail.model.frozen import frozen

__all__ = ["IndexView", "Metadata"]


@frozen
class Metadata:
    """Core metadata, as PKG-INFO or METADATA write it; a field is empty where they say nothing.

    `form` is the Metadata-Version; `content_type` the description's; `requires` are Requires-Dist; `urls` are (label,
    address) of Project-URL, with Home-page and Download-URL under these names; `dynamic` are in lower case. `faults`
    are (field, what is wrong with it) by the specification.
    """

    name: str
    version: str
    requires_python: str = ""
    form: str = ""
    summary: str = ""
    description: str = ""
    content_type: str = ""
    license: str = ""
    license_expression: str = ""
    license_files: tuple[str, ...] = ()
    classifiers: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    urls: tuple[tuple[str, str], ...] = ()
    dynamic: tuple[str, ...] = ()
    faults: tuple[tuple[str, str], ...] = ()


@frozen
class IndexView:
    """How metadata look on a package index: `refusal` is why its description is not shown (empty: it is).

    `unknown` are classifiers that are on no list, `deprecated` are (classifier, what to use instead: may be empty).
    `by` names what was asked, with versions. `unasked` is why nobody was: then nothing else is said.
    """

    refusal: str = ""
    unknown: tuple[str, ...] = ()
    deprecated: tuple[tuple[str, str], ...] = ()
    by: tuple[str, ...] = ()
    unasked: str = ""

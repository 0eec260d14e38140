"""What an index makes of metadata: descriptions rendered without files, HTML and scripts; classifiers looked up."""

import subprocess
import sys
from pathlib import Path

import pytest

from tagtrail.adapters.index_view import LONGEST, view
from tagtrail.model.metadata import Metadata


def refusal(description: str, content_type: str = "text/x-rst; charset=UTF-8") -> str:
    return view(Metadata(name="a", version="1", description=description, content_type=content_type)).refusal


GOOD = [
    "",
    "A\n=\n\ntext, `a link <https://a.example>`_\n",
    ".. code:: python\n\n   x = 1\n",
    "an `x <javascript:a()>`_",
]


@pytest.mark.parametrize("text", GOOD)
def test_what_renders(text: str) -> None:
    assert refusal(text) == ""


REFUSED = [
    ("A\n=\n\n.. include:: {secret}\n", 'line 4: "include" directive disabled.'),
    ("|x|\n\n.. |x| include:: {secret}\n", 'line 3: "include" directive disabled.'),
    ("a\n\n.. csv-table:: x\n   :file: {secret}\n", "line 3: File and URL access deactivated"),
    ("a\n\n.. raw:: html\n   :file: {secret}\n", 'line 3: "raw" directive disabled.'),
    ("a\n\n.. raw:: html\n\n   <script>alert(1)</script>\n", 'line 3: "raw" directive disabled.'),
    ("a\n\n:class:`mylib.Thing`\n", 'line 3: Unknown interpreted text role "class".'),
    ("a\n\n.. toctree::\n\n   b\n", 'line 3: Unknown directive type "toctree".'),
    ("*a", "line 1: Inline emphasis start-string without end-string."),
]


@pytest.mark.parametrize(("text", "said"), REFUSED)
def test_what_an_index_refuses_is_told_with_its_line(text: str, said: str, tmp_path: Path) -> None:
    secret = tmp_path / "passwd"
    secret.write_text("root:x:0:0\n")
    found = refusal(text.format(secret=secret))
    assert found.startswith(said)
    assert "root:x" not in found


def test_no_settings_of_docutils_switch_files_on_again(tmp_path: Path) -> None:
    """A docutils.conf in the directory where somebody runs tagtrail, as in a checkout of somebody else's."""
    (tmp_path / "docutils.conf").write_text("[general]\nfile_insertion_enabled: yes\nraw_enabled: yes\nhalt_level: 5\n")
    program = (
        "from tagtrail.adapters.index_view import view\nfrom tagtrail.model.metadata import Metadata\n"
        "text = 'a\\n\\n.. include:: /etc/passwd\\n'\n"
        "print(view(Metadata(name='a', version='1', description=text, content_type='text/x-rst')).refusal)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == 'line 3: "include" directive disabled.\n'


def test_markdown_and_what_says_no_form_are_never_refused() -> None:
    assert refusal("*a\n\n.. include:: x", "text/markdown") == ""
    assert refusal("*a", "") == ""


def test_an_endless_description_is_not_rendered() -> None:
    assert refusal("a" * (LONGEST + 1)) == f"it has {LONGEST + 1} characters, {LONGEST} are rendered"


def test_classifiers() -> None:
    said = ("Natural Language :: Ukranian", "Programming Language :: Python", "Programming Language :: Phyton")
    found = view(Metadata(name="a", version="1", classifiers=said))
    assert found.unknown == ("Programming Language :: Phyton",)
    assert found.deprecated == (("Natural Language :: Ukranian", "Natural Language :: Ukrainian"),)
    assert [line.split()[0] for line in found.by] == ["docutils", "readme-renderer", "trove-classifiers"]

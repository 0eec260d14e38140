"""Release notes: what is rendered, what stays text, and that nobody can make it slow or unsafe."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagtrail.pages.notes import MAX_NOTES, render_notes

LINK = '<a href="https://e.org/x" rel="nofollow noopener">'


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("", ""),
        ("one\ntwo\n\nthree", "<p>one\ntwo</p>\n<p>three</p>\n"),
        ("one  \ntwo\\\nthree", "<p>one<br>\ntwo<br>\nthree</p>\n"),
        ("# A\n## B ##\n###### C", "<h3>A</h3>\n<h4>B</h4>\n<h6>C</h6>\n"),
        ("#no\n# C#", "<p>#no</p>\n<h3>C#</h3>\n"),
        ("Title\n===\nSub\n---\ntext", "<h3>Title</h3>\n<h4>Sub</h4>\n<p>text</p>\n"),
        ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n"),
        ("* a\n\n* b", "<ul>\n<li><p>a</p>\n</li>\n<li><p>b</p>\n</li>\n</ul>\n"),
        ("- a\n  more\n  - b\n", "<ul>\n<li>a\nmore\n<ul>\n<li>b</li>\n</ul>\n</li>\n</ul>\n"),
        ("- a\nlazy\n\nnot", "<ul>\n<li>a\nlazy</li>\n</ul>\n<p>not</p>\n"),
        ("3. a\n4. b", '<ol start="3">\n<li>a</li>\n<li>b</li>\n</ol>\n'),
        ("1) a\n- b", "<ol>\n<li>a</li>\n</ol>\n<ul>\n<li>b</li>\n</ul>\n"),
        ("-", "<ul>\n<li></li>\n</ul>\n"),
        ("-no\n1.no", "<p>-no\n1.no</p>\n"),
        ("> a\n> b", "<blockquote>\n<p>a\nb</p>\n</blockquote>\n"),
        ("```py\n<x>\n\n# y\n```\nz", "<pre><code>&lt;x&gt;\n\n# y\n</code></pre>\n<p>z</p>\n"),
        ("~~~\nopen", "<pre><code>open\n</code></pre>\n"),
        ("    code\n\n      more\n\ntext", "<pre><code>code\n\n  more\n</code></pre>\n<p>text</p>\n"),
        ("a\n\n***\n- - -", "<p>a</p>\n<hr>\n<hr>\n"),
        ("*a* **b *c*** `d *e*` f*g", "<p><em>a</em> <strong>b *c</strong>* <code>d *e*</code> f*g</p>\n"),
        ("2 * 3 * 4 and snake_case_name", "<p>2 * 3 * 4 and snake_case_name</p>\n"),
        ("`` a`b `` \\*c\\*", "<p><code>a`b</code> *c*</p>\n"),
        ("[x](https://e.org/x) <https://e.org/x>", f"<p>{LINK}x</a> {LINK}https://e.org/x</a></p>\n"),
        ("see https://e.org/x.", f"<p>see {LINK}https://e.org/x</a>.</p>\n"),
        ("[https://e.org/y](https://e.org/x)", f"<p>{LINK}https://e.org/y</a></p>\n"),
        ("![alt](https://e.org/x)", f"<p>{LINK}alt</a></p>\n"),
        ("[x](javascript:alert(1))", "<p>[x](javascript:alert(1))</p>\n"),
        ("[x](//e.org) [y](../z) [z](data:text/html,x)", "<p>[x](//e.org) [y](../z) [z](data:text/html,x)</p>\n"),
        (
            '[x](https://e.org/"onclick=)',
            '<p><a href="https://e.org/&quot;onclick=" rel="nofollow noopener">x</a></p>\n',
        ),
        ("<b>&amp;</b>", "<p>&lt;b&gt;&amp;amp;&lt;/b&gt;</p>\n"),
    ],
)
def test_table(text: str, html: str) -> None:
    assert render_notes(text) == html


@pytest.mark.parametrize(
    "evil",
    ["**x ", "`", "`a ``b ", "[a](https://", "![", "- ", "> ", "1. ", "#", "- a\n\n", "\\", "https://", "<https://",
     "* x\n\t", "_ ", "=\n", "```\n", "    x\n\n", "*a ", "(((", "[](https://e/", "(https://e/()"],
)  # fmt: skip
def test_nobody_can_make_it_slow(evil: str) -> None:
    text = evil * (MAX_NOTES // 8 // len(evil))
    start = time.thread_time()
    render_notes(text)
    assert time.thread_time() - start < 2


def test_what_is_too_long_is_shown_plainly() -> None:
    assert render_notes("<" * (MAX_NOTES + 1)) == f"<pre>{'&lt;' * MAX_NOTES}\n[...]</pre>\n"


TAGS = re.compile(r"</?(?:p|br|hr|h[3-6]|ul|ol|li|blockquote|pre|code|em|strong|a)>|<ol start=\"[0-9]+\">"
                  r"|<a href=\"(?:https?://|mailto:)[^\"<>]*\" rel=\"nofollow noopener\">", re.IGNORECASE)  # fmt: skip


@given(st.text(st.sampled_from("ab<>&\"'`*_[]()!#-+=~>1.)\\ \t\n\x00\u202e:/") | st.characters(), max_size=200))
def test_only_our_own_tags_come_out(text: str) -> None:
    html = render_notes(text + "https://e.org [x](https://e.org) <https://e.org>")
    assert "<" not in TAGS.sub("", html)
    assert ">" not in TAGS.sub("", html)

"""What trackers and commands may say in the settings: one thing wrong at a time, named by the path to its field."""

from pathlib import Path

import pytest

from tagtrail.formats.settings import parse_settings
from tagtrail.formats.targets import BUCKET, TYPES
from tagtrail.model.errors import SetupError

PAGE = Path(__file__).parents[2] / "docs/settings.md"

GROUND = """
[org]
name = "Example"
origin = "example.org/trail"
[targets.site]
type = "site"
[targets.x]
"""

MAIL = 'type = "mail"\nserver = "smtp://mx.example.org"\nsender = "a@example.org"\nto = ["l@example.org"]\n'
HOOK = 'type = "webhook"\nurl = "https://h.example/in"\nsecret = "env:S"\n'
X = "".join(f'{key} = "env:T"\n' for key in ("consumer-key", "consumer-secret", "token", "token-secret"))
X = f'type = "x"\n{X}'

GOOD = [
    'type = "github"\nrepository = "example/{project}"\ntoken = "env:T"\nfiles = false\napi = "https://f.example/api"',
    'type = "launchpad"\nseries = "trunk"\ncredentials = "file:private/lp"\nproject = "{project}"\nroot = "production"',
    'type = "storyboard"\napi = "https://s.example/api/v1"\ntoken = "env:T"\ntag = "{project}-{version}"\nbranch = "b"',
    'type = "command"\napply = ["up", "-F", "a", "-F", "{file}"]',
    'type = "command"\napply = ["up", "{url}"]\nfind = ["look", "{url}"]\nfiles = false\nretry = "keyed"\ntime = 5',
    'type = "command"\napply = ["up"]\nenv = { TOKEN = "env:T", HOME_OF = "file:x" }',
    'type = "command"\nfind = ["look", "{name}"]\nby = "ci"',
    'type = "command"\napply = ["up", "{not a word}", "${X}", "{X}"]',
    'type = "command"\napply = ["up"]\nwithdraw = ["gone", "{version}", "{reason}"]',
    'type = "command"\napply = ["up"]\nfind = ["l"]\nwithdraw = ["gone"]\nwithdrawn = ["look", "{url}"]',
    MAIL,
    MAIL.replace("//mx", "//jo@mx") + 'password = "env:P"\nreply-to = "Team <t@example.org>"\nlag = 5',
    MAIL + 'archive = "https://lists.example.org/archives/list/l@example.org/message/{hash}/"',
    MAIL + 'tls = "none"\non = ["final"]',
    MAIL.replace("//mx.example.org", "//jo@[::1]:2525/") + 'tls = "none"\npassword = "env:P"',
    HOOK + 'old-secret = "file:old"',
    'type = "mastodon"\nserver = "https://m.example"\ntoken = "env:T"\nlimit = 300\nvisibility = "unlisted"',
    X,
    X + "search = false",
    'type = "apprise"\nurl = "env:APPRISE"\nform = "text"',
]

BAD = [
    ('type = "github"\nrepository = "nova"\ntoken = "env:T"', "targets.x.repository: is OWNER/NAME"),
    ('type = "github"\nrepository = "a/b"', "targets.x.token: missing"),
    ('type = "github"\nrepository = "a/b"\ntoken = "ghp_clear"', "targets.x.token: is a secret in clear"),
    ('type = "github"\nrepository = "a/b"\ntoken = "env:T"\nfiles = "no"', "targets.x.files: must be true or false"),
    ('type = "github"\nrepository = "a/b"\ntoken = "env:T"\nreop = 1', "targets.x.reop: unknown key"),
    ('type = "launchpad"\ncredentials = "file:x"', "targets.x.series: missing"),
    ('type = "storyboard"\ntoken = "env:T"', "targets.x.api: missing"),
    ('type = "storyboard"\ntoken = "env:T"\napi = "s.example"', "targets.x.api: is an address"),
    ('type = "command"', "targets.x.apply: missing"),
    ('type = "command"\napply = []', "targets.x.apply: must be a command line"),
    ('type = "command"\napply = "up {file}"', "targets.x.apply: must be a list of words"),
    ('type = "command"\napply = ["up", 1]', "targets.x.apply: must be a command line"),
    ('type = "command"\napply = ["up", "{fiel}"]', "targets.x.apply: there is no {fiel}, did you mean 'file'?"),
    ('type = "command"\napply = ["up", "{file}"]\nfiles = false', "targets.x.apply: there is no {file}"),
    ('type = "command"\napply = ["up"]\nretry = "keyed"', "targets.x.retry: is 'keyed', but without find"),
    ('type = "command"\napply = ["up"]\nfind = ["l"]\nretry = "twice"', "targets.x.retry: there is no 'twice'"),
    ('type = "command"\napply = ["up"]\nwithdraw = ["gone", "{file}"]', "targets.x.withdraw: there is no {file}"),
    ('type = "command"\napply = ["up"]\nfind = ["l"]\nwithdraw = ["g"]', "targets.x.withdrawn: and withdraw come"),
    ('type = "command"\nby = "ci"', "targets.x.find: is needed where others upload"),
    ('type = "command"\napply = ["up"]\nenv = { A = "clear" }', "targets.x.env.A: is a reference"),
    ('type = "command"\napply = ["up"]\nenv = { A_TOKEN = "clear" }', "targets.x.env.A_TOKEN: is a secret in clear"),
    (MAIL.replace("smtp:", "http:"), "targets.x.server: is smtp://USER@HOST:PORT"),
    (MAIL.replace("//mx", "//jo@mx"), "targets.x.password: and a user in server come together"),
    (MAIL + 'password = "env:P"', "targets.x.password: and a user in server come together"),
    (MAIL.replace("//mx", "//jo@mx") + 'password = "clear"', "targets.x.password: is a secret in clear"),
    (MAIL.replace("//mx", "//jo:hunter2@mx"), "targets.x.server: has a user or a password"),
    (MAIL.replace("//mx", "//jo@mx") + 'password = "env:P"\ntls = "none"', "targets.x.tls: cannot be none"),
    (MAIL + 'tls = "maybe"', "targets.x.tls: there is no 'maybe'"),
    (MAIL.replace('["l@example.org"]', "[]"), "targets.x.to: names nobody"),
    (MAIL.replace("l@example.org", "l@example.org, m@example.org"), "targets.x.to: is a mail address"),
    (MAIL.replace("a@example.org", "a"), "targets.x.sender: is a mail address"),
    (MAIL.replace("a@example.org", "A\\nBcc: b@example.org <a@example.org>"), "targets.x.sender: is one line"),
    (MAIL + 'reply-to = "b@example.org>"', "targets.x.reply-to: is a mail address"),
    (MAIL + 'archive = "https://lists.example.org/"', "targets.x.archive: is an address with {hash}"),
    (MAIL + 'by = "ci"', "targets.x.by: is for places that others upload to"),
    (HOOK.replace("env:S", "whsec_x"), "targets.x.secret: is a secret in clear"),
    (HOOK.replace("/in", "/in?a=b"), "targets.x.url: is an address"),
    (X.replace('token = "env:T"\n', "", 1), "targets.x.token: missing"),
    ('type = "mastodon"\nserver = "https://m.example"\ntoken = "env:T"\nvisibility = "direct"', "there is no 'direct'"),
    ('type = "apprise"\nurl = "json://a:b@c"', "targets.x.url: "),
    ('type = "github "', "targets.x.type: there is no type of target 'github ', did you mean 'github'?"),
]


@pytest.mark.parametrize("table", GOOD)
def test_may_be_said(table: str) -> None:
    (target,) = [t for t in parse_settings({"tagtrail.toml": f"{GROUND}{table}\n".encode()}).targets if t.name == "x"]
    assert target.type in table


@pytest.mark.parametrize(("table", "problem"), BAD)
def test_one_thing_wrong(table: str, problem: str) -> None:
    with pytest.raises(SetupError) as caught:
        parse_settings({"tagtrail.toml": f"{GROUND}{table}\n".encode()})
    assert caught.value.code == "settings"
    assert caught.value.why.count("\n") == 0
    assert problem in caught.value.why


def test_the_page_of_settings_names_every_key_of_a_target() -> None:
    rows = [row for row in PAGE.read_text().splitlines() if row.startswith("| `")]
    for name, said in {**{name: kind.options for name, kind in TYPES.items()}, "site": BUCKET}.items():
        told = " ".join(row for row in rows if f"`{name}`" in row)
        assert [key for key in said if f"`{key}`" not in told] == [], name

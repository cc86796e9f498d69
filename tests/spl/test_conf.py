"""The .conf reader and the errors it gives."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.conf import load_app, read_conf
from lab.errors import LabError


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, body in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(body, encoding="utf-8")
    return folder


def test_continuation_lines_keep_their_line_breaks(tmp_path: Path) -> None:
    path = write(tmp_path, {"a.conf": "# comment \\\n[s]\nsearch = one \\\n| two \\\n# three\nnext = x=y\n"}) / "a.conf"
    stanza = read_conf(path)["s"]
    assert stanza.settings == {"search": "one \n| two \n# three", "next": "x=y"}
    assert (stanza.line("search"), stanza.line("next")) == (3, 6)


def test_local_overrides_default_and_default_stanzas_fill_in(tmp_path: Path) -> None:
    app = load_app(
        write(
            tmp_path,
            {
                "default/app.conf": "[package]\nid = my_app\n",
                "default/savedsearches.conf": "[default]\nowner = admin\n[a]\nsearch = x\ncron = 1\n",
                "local/savedsearches.conf": "[a]\ncron = 2\n[b]\nsearch = y\n",
            },
        )
    )
    searches = app.stanzas("savedsearches")
    assert app.name == "my_app"
    assert searches["a"].settings == {"owner": "admin", "search": "x", "cron": "2"}
    assert searches["b"].settings == {"owner": "admin", "search": "y"}
    assert searches["a"].places["cron"] == (Path("local/savedsearches.conf"), 2)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("[a]\nx = 1\ny = 2\nx = 3\n", "x.conf [a] at line 4: 'x' is set twice (first on line 2)."),
        (
            "[a]\n[b]\n[a]\n",
            "x.conf [a] at line 3: the stanza is opened twice (first on line 1). Merge the two.",
        ),
        (
            "[a]\nnonsense\n",
            "x.conf [a] at line 2: expected 'key = value', a [stanza] or a # comment: nonsense",
        ),
        ("[a\n", "x.conf at line 1: a stanza line must end in ']': [a"),
    ],
)
def test_faults_name_file_stanza_and_line(tmp_path: Path, body: str, message: str) -> None:
    write(tmp_path, {"x.conf": body})
    with pytest.raises(LabError) as caught:
        read_conf(tmp_path / "x.conf", Path("x.conf"))
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("[m(2)]\nargs = a\ndefinition = x\n", "promises 2 argument(s) but args lists 1"),
        ("[m]\ndefinitoin = x\n", "unknown macro setting 'definitoin'"),
        ("[m]\nargs =\n", "no definition"),
    ],
)
def test_faulty_macros_are_refused(tmp_path: Path, body: str, message: str) -> None:
    app = load_app(write(tmp_path, {"default/macros.conf": body}))
    with pytest.raises(LabError) as caught:
        app.macros  # noqa: B018 (read on first use)
    assert message in str(caught.value)

from pathlib import Path

import pytest

from model import LabelError, read_labels
from tests.model.builders import session


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "labels.csv"
    path.write_text(text, "utf-8")
    return path


def test_zero_and_one_name_no_kind(tmp_path: Path) -> None:
    found = read_labels(written(tmp_path, "session,anomaly\na,0\nb,1\n"))
    assert found.of(session("a", ["x"])) == "normal"
    assert found.of(session("b", ["x"])) == "anomalous"
    assert found.of(session("c", ["x"])) is None
    assert found.kinds == ()


def test_kinds_are_named(tmp_path: Path) -> None:
    text = "\ufeffsession,kind\na,normal\nb,crash\nc,ignore\n\n"
    found = read_labels(written(tmp_path, text))
    assert found.kinds == ("crash",)
    assert found.of(session("c", ["x"])) == "ignore"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "first line must be"),
        ("a,b\n1,2\n", "first line must be"),
        ("session,anomaly\na,2\n", ":2: anomaly is 0 or 1"),
        ("session,anomaly\na\n", ":2: expected two values"),
        ("session,kind\na,\n", ":2: the kind is empty"),
        ("session,kind\na,c07\n", "elkwatch gives itself"),
        ("session,kind\na,new-event\n", "elkwatch gives itself"),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_line(
    tmp_path: Path, text: str, complaint: str
) -> None:
    with pytest.raises(LabelError, match=complaint) as caught:
        read_labels(written(tmp_path, text))
    assert "\n" not in str(caught.value)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match="check the path"):
        read_labels(tmp_path / "none.csv")

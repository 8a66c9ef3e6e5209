"""What people are told of a finding: its name, how grave it is, causes, what to do.

kind that is known ─▶ the user's own entry, else the class's
any other          ─▶ a rule on the evidence, else the built-in kind of its pattern
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from model.catalogue import Advice, Catalogue
from model.trained import ModelClass
from model.verdicts import Evidence


class Adviser:
    """The catalogue and a model's classes in one language.

    `mask` hides what is private in the names of kinds.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        classes: Mapping[str, ModelClass],
        language: str,
        mask: Callable[[str], str],
    ) -> None:
        self.language = language
        self._catalogue = catalogue
        self._classes = classes
        self._mask = mask

    def of_kind(self, kind: str) -> Advice | None:
        """What people are told of a kind: own class, the model's, a rule's; or None."""
        entry = self._catalogue.classes.get(kind)
        if entry is not None:
            return entry.told_in(self.language)
        known = self._classes.get(kind)
        if known is not None:
            return self._told(known)
        for rule in self._catalogue.rules:
            if rule.entry.entry_id == kind:
                return rule.entry.told_in(self.language)
        return None

    def of_pattern(self, pattern: str, about: str) -> Advice:
        """What people are told of a built-in kind, named by what it is about."""
        entry = self._catalogue.patterns[pattern]
        return entry.told_in(self.language, self._mask(about))

    def of_finding(
        self,
        known: ModelClass | None,
        pattern: str,
        lines: Sequence[Evidence],
        subject: str,
    ) -> tuple[Advice, str]:
        """Users' class entry, the class's own, a rule on the evidence, the pattern.

        With it the topic: what findings of one kind of trouble share.
        """
        if known is not None:
            own = self._catalogue.classes.get(known.class_id)
            if own is not None:
                return own.told_in(self.language), known.class_id
            return self._told(known), known.class_id
        rule = self._catalogue.recognise(_texts_of(lines))
        if rule is not None:
            topic = f"{pattern}/{rule.entry.entry_id}"
            return rule.entry.told_in(self.language), topic
        entry = self._catalogue.patterns[pattern]
        return entry.told_in(self.language, subject), pattern

    def _told(self, known: ModelClass) -> Advice:
        return known.entry.told_in(self.language, self._mask(known.about))


def _texts_of(lines: Sequence[Evidence]) -> list[str]:
    """What rules are tried on: the most surprising line first."""
    ranked = sorted(lines, key=lambda line: -line.surprise_nats)
    return [line.message or line.template for line in ranked]

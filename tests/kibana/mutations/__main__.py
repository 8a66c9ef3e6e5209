"""Prints the figures of the mutation test; docs/kibana.md has them."""

from __future__ import annotations

from tests.kibana.built import Built, leaves
from tests.kibana.mutations import MUTATIONS, SUBJECTS, is_found, unnoticed


def _tell() -> None:
    for subject, mutations in SUBJECTS.items():
        missed = [name for name in mutations if not is_found(name)]
        print(f"{len(mutations) - len(missed):>4} of {len(mutations):<4} {subject}")
        for name in missed:
            print(f"     not found: {name}")
    print(f"{len(MUTATIONS)} mutations")
    total = sum(1 for _ in leaves(Built().objects))
    left = list(unnoticed())
    for path in left:
        print("may be left out:", " / ".join(map(str, path)))
    print(f"{total - len(left)} of {total} keys and items cannot be left out unseen")


if __name__ == "__main__":
    _tell()

"""Masking of what leaves elkwatch: emails, addresses, cards, tokens, users' patterns.

    text ──values──▶ spans of private values ──mask──▶ text with placeholders

Every kind looks at the text as it was written, and whatever any of them finds is
hidden: no mask can hide a part of a secret and so keep another from knowing the rest.
"""

from elkwatch.privacy.key import stored_key
from elkwatch.privacy.mask import Mask, Masker, masking
from elkwatch.privacy.quoted import mask_program_log

__all__ = ["Mask", "Masker", "mask_program_log", "masking", "stored_key"]

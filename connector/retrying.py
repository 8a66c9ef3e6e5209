"""How often and how patiently a request is sent again.

The client itself never retries (its own retries come without a pause); this is the only
place that does. Waiting is exponential with full jitter.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception,
    stop_after_attempt,
    wait_random_exponential,
)

from connector.errors import ConnectorError
from connector.faults import is_transient, translate

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """At most `attempts` tries, each pause random up to a bound that doubles.

    `sleep` is what waits; tests hand in one that does not.
    """

    attempts: int = 6
    first_wait_s: float = 0.5
    max_wait_s: float = 20.0
    sleep: Callable[[float], None] = time.sleep

    def call(
        self,
        request: Callable[[], T],
        *,
        doing: str,
        exhausted: type[ConnectorError],
        before_retry: Callable[[BaseException], None] | None = None,
        passes: tuple[type[Exception], ...] = (),
    ) -> T:
        """What `request` returns, however many tries it takes.

        `before_retry` is told of each failure that will be tried again. Raises
        `exhausted` when a transient failure outlasted all tries, the translated error
        for any other, and those of `passes` as they are.
        """

        def note(state: RetryCallState) -> None:
            if before_retry is not None and state.outcome is not None:
                error = state.outcome.exception()
                if error is not None:
                    before_retry(error)

        tries = Retrying(
            stop=stop_after_attempt(self.attempts),
            wait=wait_random_exponential(
                multiplier=self.first_wait_s, max=self.max_wait_s
            ),
            retry=retry_if_exception(is_transient),
            sleep=self.sleep,
            before_sleep=note,
            reraise=True,
        )
        try:
            return tries(request)
        except passes:
            raise
        except Exception as error:
            told = translate(error, doing)
            if is_transient(error):
                text = f"{told} (gave up after {self.attempts} tries)"
                raise exhausted(text) from error
            if told is error:
                raise
            raise told from error

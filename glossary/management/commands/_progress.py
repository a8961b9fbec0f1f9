"""A bar on a terminal; otherwise a line now and then, for logs."""

from __future__ import annotations

from typing import Any


EVERY = 1000


class Progress:
    def __init__(self, out: Any, total: int, label: str) -> None:
        self.out = out
        self.total = total
        self.label = label
        self.count = 0
        self._is_terminal = out.isatty()
        self._width = 0

    def step(self) -> None:
        self.show(self.count + 1)

    def show(self, count: int) -> None:
        self.count = count
        if self._is_terminal:
            if count % max(self.total // 200, 1) == 0 or count == self.total:
                bar = self._bar()
                self._width = len(bar)
                self.out.write(f"\r{bar}", ending="")
        elif count % EVERY == 0:
            of = f"/{max(count, self.total)}" if self.total else ""
            self.out.write(f"{self.label}: {count}{of}")

    def clear(self) -> None:
        """Make room for a line."""
        if self._width:
            self.out.write("\r" + " " * self._width + "\r", ending="")
            self._width = 0

    def end(self) -> None:
        if self._is_terminal:
            self.out.write("")

    def _bar(self, width: int = 30) -> str:
        share = min(self.count / self.total, 1) if self.total else 1
        done = round(share * width)
        return (
            f"{self.label} [{'#' * done}{' ' * (width - done)}] "
            f"{self.count}/{max(self.count, self.total)}"
        )

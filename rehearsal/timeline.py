"""The live timeline: what happens while a drill runs, in the terminal or as plain lines.

On a terminal: progress, the state of both sides, and the latest events, redrawn a few times a
second. Anywhere else: one line per event.
"""

from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

ROWS_SHOWN = 16
EVENTS_MAX = 5_000
COLOURS = {
    "world": "bold red",
    "verdict": "yellow",
    "run": "magenta",
    "client": "cyan",
    "check": "bold",
    "alert": "yellow",
}


class Timeline:
    """Events in order, shown as they come. Use it as a context."""

    def __init__(
        self,
        title: str,
        chapters: int,
        console: Console | None = None,
        state: Callable[[], dict[str, str]] = dict,
    ) -> None:
        """`chapters`: how many steps the drill's story has. `state`: label -> what is so now."""
        self.events: deque[dict] = deque(maxlen=EVENTS_MAX)
        self._title, self.state = title, state
        self._console = console or Console()
        self._progress = Progress(
            TextColumn("[bold]{task.description}"),
            BarColumn(bar_width=40),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self._console,
        )
        self._task = self._progress.add_task(title, total=chapters)
        self._live: Live | None = None
        self._start: datetime | None = None

    def __enter__(self) -> "Timeline":
        if self._console.is_terminal:
            self._live = Live(
                get_renderable=self._picture, console=self._console, refresh_per_second=5
            )
            self._live.start()
        return self

    def __exit__(self, *exc: object) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def chapter(self, name: str) -> None:
        """The next step of the story begins."""
        if self._progress.tasks[0].started and self.events:
            self._progress.advance(self._task)
        self._progress.update(self._task, description=name)
        self.say("drill", name)

    def say(self, lane: str, what: str, at: datetime | None = None) -> None:
        """Something happened; `lane` says where or to whom."""
        moment = at or datetime.now(UTC)
        self._start = self._start or moment
        self.events.append({"at": moment.isoformat(), "lane": lane, "what": what})
        if self._live is None:
            self._console.print(self._line(self.events[-1]), soft_wrap=True)

    def end(self, what: str) -> None:
        """The story is told."""
        self._progress.update(self._task, completed=self._progress.tasks[0].total)
        self.say("drill", what)

    def _line(self, event: dict) -> Text:
        start = self._start or datetime.now(UTC)
        passed = (datetime.fromisoformat(event["at"]) - start).total_seconds()
        line = Text(f"{passed:7.1f} s  ", style="dim")
        line.append(f"{event['lane']:<12} ", style=COLOURS.get(event["lane"], "blue"))
        return line.append(event["what"], style="")

    def _picture(self) -> Group:
        now = Table.grid(padding=(0, 3))
        for label, text in self.state().items():
            now.add_row(Text(label, style="dim"), Text(text))
        latest = [self._line(event) for event in list(self.events)[-ROWS_SHOWN:]]
        return Group(self._progress, now, Text(""), *latest)

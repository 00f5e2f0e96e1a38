"""Lines of text on the screen, of which only those that changed are drawn again.

A frame of the dashboard differs from the one before in a few numbers; to draw those lines alone is
what keeps it cheap.
"""

from collections.abc import Iterable, Sequence

from rich.console import Console, RenderableType
from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.content import Content
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

Line = tuple[Segment, ...]
"""One line, its styles known."""


def drawn(text: Text, console: Console) -> Line:
    """A text as one line."""
    # A text without spans would be rendered without its own style.
    whole = Text().append_text(text)
    return tuple(each for each in whole.render(console, end="") if each.text)


def drawn_lines(body: RenderableType, width: int, console: Console) -> list[Line]:
    """Anything that can be drawn, in this width, as lines."""
    options = console.options.update(width=max(1, width), height=None)
    lines = console.render_lines(body, options, pad=False)
    return [tuple(each for each in line if not each.control) for line in lines]


class LineView(ScrollView):
    """What draws itself line by line, below a title. The style that lies under all of them is
    looked up once, not for each line."""

    _base: Style | None = None
    _titled = ""

    def entitle(self, title: Text) -> None:
        """Put this over it."""
        said = f"{title.plain}{title.spans}"
        if said != self._titled:
            self._titled = said
            self.border_title = Content.from_rich_text(title, self.app.console)

    def draw_anew(self) -> None:
        """Draw all of it again, for its colours or its width are others."""
        self._titled = ""

    @property
    def base_style(self) -> Style:
        """What lies under the styles of a line."""
        if self._base is None:
            self._base = self.rich_style
        return self._base

    def notify_style_update(self) -> None:
        """Look it up again."""
        self._base = None
        super().notify_style_update()


class Lines(LineView, can_focus=False):
    """Lines that somebody else has made. They do not wrap; what has no room is cut."""

    DEFAULT_CSS = "Lines { overflow: hidden hidden; height: 1; }"

    def __init__(self, name: str, lines: Iterable[Text] = ()) -> None:
        super().__init__(id=name)
        self._texts = list(lines)
        self._lines: Sequence[Line] = ()

    @property
    def plain(self) -> str:
        """What it says."""
        return "\n".join("".join(each.text for each in line) for line in self._lines)

    @property
    def height(self) -> int:
        """How many lines there are."""
        return len(self._lines)

    @property
    def _width(self) -> int:
        return self.scrollable_content_region.width

    def on_mount(self) -> None:
        """Show what it began with."""
        self.show(self._texts)

    def show(self, texts: Iterable[Text], *, is_grown: bool = True) -> None:
        """Show these texts, each on a line, as high as they are many if it `is_grown`."""
        console = self.app.console
        self.show_lines([drawn(text, console) for text in texts], is_grown=is_grown)

    def show_lines(self, lines: Sequence[Line], *, is_grown: bool = False) -> None:
        """Show lines that are drawn already."""
        before, self._lines = self._lines, lines
        if len(lines) != len(before):
            if is_grown:
                self.styles.height = max(1, len(lines))
            self.virtual_size = Size(self._width, len(lines))
        width, top = self._width, self.scroll_offset.y
        longer = max(len(lines), len(before))
        for at in range(longer):
            here = lines[at] if at < len(lines) else None
            if here != (before[at] if at < len(before) else None):
                self.refresh(Region(0, at - top, width, 1))

    def render_line(self, y: int) -> Strip:
        """One line of what is seen."""
        at, width = y + self.scroll_offset.y, self._width
        if at >= len(self._lines):
            return Strip.blank(width, self.base_style)
        return fitted(self._lines[at], width, self.base_style)


def fitted(segments: Iterable[Segment], width: int, style: Style) -> Strip:
    """A line in exactly this width; `style` is what lies under its own styles."""
    return Strip(segments).adjust_cell_length(width).apply_style(style)

"""What a proof found: figures to print, and everything that must not have happened."""

from dataclasses import dataclass, field

from rich.console import Console

console = Console()


@dataclass
class Verdict:
    proof: str
    figures: dict[str, object] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)

    def must_be(self, what: str, found: object, wanted: object) -> None:
        self.figures[what] = found
        if found != wanted:
            self.broken.append(f"{what}: {found}, not {wanted}")

    def must(self, what: str, *, hold: bool) -> None:
        self.figures[what] = "yes" if hold else "no"
        if not hold:
            self.broken.append(f"not so: {what}")

    def show(self) -> None:
        mark = "[bold red]BROKEN[/]" if self.broken else "[green]holds[/]"
        console.print(f"\n{mark}  [bold]{self.proof}[/]")
        for name, value in self.figures.items():
            console.print(f"    {name}: {value}", highlight=False)
        for problem in self.broken:
            console.print(f"    [red]{problem}[/]", highlight=False)

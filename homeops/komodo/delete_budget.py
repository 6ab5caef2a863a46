"""How much of what there is one run would delete, held against the budget: for Pulumi's runs and those of a sync."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Share:
    """So many objects of those that are there."""

    count: int
    there: int

    @property
    def percent(self) -> float:
        """From 0 to 100."""
        return 100 * self.count / max(self.there, 1)

    def exceeds(self, objects: int, percent: int) -> bool:
        """Whether it is more than either of the two that a budget allows."""
        return self.count > objects or self.percent > percent

    def told(self, names: str, objects: int, percent: int) -> str:
        """The words of a refusal, in which ``names`` says what would be deleted."""
        return (
            f"would delete {self.count} of {self.there} objects ({self.percent:.0f} %): {names}; "
            f"at most {objects} objects and {percent} % are deleted without being asked for"
        )

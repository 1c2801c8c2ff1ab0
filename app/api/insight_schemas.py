"""The contract of insights; the answer is encoded elsewhere, and a test holds the two together."""

from pydantic import BaseModel, ConfigDict, Field

from app.training.insights.insight import Kind, Severity


class Insight(BaseModel):
    """One thing that a run's log says."""

    model_config = ConfigDict(extra="forbid")

    kind: Kind
    severity: Severity
    title: str = Field(description="What is so, in a sentence.")
    detail: str = Field(description="The figures that say it, and what may be done.")
    rule: str = Field(description="The rule that was used, with its thresholds.")
    figures: dict[str, float | None] = Field(description="What was compared; null for a number that is not finite.")
    modules: list[str] = Field(description="Paths of the modules that it is about, the first 20.")
    num_modules: int
    first_epoch: int = Field(description="Where it began.")
    last_epoch: int | None = Field(description="Where it was over; null while it holds.")


class InsightList(BaseModel):
    """Insights: what holds first, then by how much it matters."""

    items: list[Insight]

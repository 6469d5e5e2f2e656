"""Charts are well-formed pictures of the figures there are, and of nothing else."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path

from bench.charts import charts, draw, svg
from bench.results import TARGETS, Measured, named


def test_a_chart_has_a_point_for_each_figure_and_says_what_it_shows() -> None:
    figures = {"text_in_0_stored_us": 1500.0, "text_in_1m_stored_us": 1600.0, "text_in_0_stored_us_postgres": 2500.0}
    [(name, chart)] = charts(figures).items()
    assert name == "text-in-by-stored"
    picture = ET.fromstring(svg(chart))
    circles = [one for one in picture.iter() if one.tag.endswith("circle")]
    assert len(circles) == 3
    words = " ".join(one.text or "" for one in picture.iter() if one.tag.endswith("text"))
    for said in ("One text in", "messages stored", "microseconds", "SQLite", "PostgreSQL"):
        assert said in words
    xs = sorted({float(one.attrib["cx"]) for one in circles})
    assert xs[0] < xs[-1]
    assert float(circles[0].attrib["cy"]) > float(circles[1].attrib["cy"]), "more is higher"


def test_they_lie_beside_the_figures_and_what_was_not_measured_is_not_drawn(tmp_path: Path) -> None:
    out = tmp_path / "latest.json"
    rows = {f"sweep_idle_{size}_ms": {"value": value} for size, value in (("1k", 5.0), ("100k", 6.0))}
    out.write_text(json.dumps(rows | {"queue_due_1k_ms": {"value": 9.0}}))
    assert [made.name for made in draw(out)] == ["sweep-by-planned.svg"]
    ET.parse(tmp_path / "sweep-by-planned.svg")


def test_figures_of_postgresql_and_of_several_workers_say_so() -> None:
    one = Measured.of([1.0], "ratio")
    assert list(named({"webhook_vs_echo_sqlite": one}, "sqlite")) == ["webhook_vs_echo_sqlite"]
    assert list(named({"webhook_vs_echo_sqlite": one}, "postgresql")) == ["webhook_vs_echo_postgres"]
    assert list(named({"pumpline_per_s": one}, "postgresql", 2)) == ["pumpline_per_s_postgres_w2"]
    assert list(named({"webhook_vs_echo_sqlite": one}, "sqlite", 4)) == ["webhook_vs_echo_sqlite_w4"]
    assert "webhook_vs_echo_postgres" in TARGETS
    assert "lost_after_kill_postgres" in TARGETS

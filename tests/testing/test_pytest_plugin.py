"""pytest collects the checks of a subclass, shows the sentence of a failure, and counts."""

import subprocess
import sys
from pathlib import Path

TEST_FILE = '''
from typing import Literal
from seemkit.api import Grid, Region, SpatialPrompt, draw_clicks
from seemkit.testing import PromptContract

class Spot(SpatialPrompt):
    """A spot that somebody made on a Sunday afternoon."""

    type: Literal["spot"] = "spot"
    x: float = 3

    def region(self, size: Grid) -> Region:
        {body}

class TestSpot(PromptContract):
    prompt = Spot
'''
CHOSEN = "canvas or region_is_on_the_grid or last_pixel"


def run(folder: Path, body: str) -> tuple[int, str]:
    file = folder / "test_spot.py"
    file.write_text(TEST_FILE.format(body=body), encoding="utf-8")
    words = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-k", CHOSEN, file.name]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


def test_an_author_sees_how_many_checks_ran(tmp_path: Path) -> None:
    code, shown = run(tmp_path, "return Region(draw_clicks([(self.x, 3)], size), self.include)")
    assert code == 0, shown
    assert "seemkit conformance" in shown
    assert "TestSpot: 3 checks, 2 passed, 1 skipped" in shown


def test_an_author_sees_the_sentence_and_the_own_line_that_raised(tmp_path: Path) -> None:
    code, shown = run(tmp_path, "return Region(self.pixels, self.include)")
    assert code == 1, shown
    assert "The region of a spatial prompt is a Region of the size of the grid" in shown
    assert "but spot raised AttributeError" in shown
    assert "contract.py" not in shown
    assert "TestSpot: 3 checks, 1 failed, 1 passed, 1 skipped" in shown.replace(
        "1 passed, 1 failed", "1 failed, 1 passed"
    )

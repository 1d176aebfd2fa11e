"""Checks of the pixels that a spatial prompt selects: on the grid, covariant, within borders, of both signs."""

import numpy as np
from numpy.typing import NDArray

from seemkit.errors import PromptError
from seemkit.geometry.grid import Grid
from seemkit.prompting.prompt import Prompt, SpatialPrompt
from seemkit.testing.bench import SIZE
from seemkit.testing.contract import check
from seemkit.testing.prompt_case import GRIDS, PromptCase, region_fault, sentence_of
from seemkit.testing.transform import enlarged, mirrored
from seemkit.testing.violation import demand, fail, skip

__all__ = ["PromptRegionChecks"]

UNKNOWN = "it has fields that the suite cannot {0}: give the test class a method {0}(prompt, {1})"


class PromptRegionChecks(PromptCase):
    """A spatial prompt says which pixels it selects."""

    def mirror(self, prompt: Prompt, width: int) -> Prompt | None:
        """The prompt on the image of `width` pixels mirrored left to right; None if that cannot be told."""
        return mirrored(prompt, width)

    def enlarge(self, prompt: Prompt, factor: int) -> Prompt | None:
        """The prompt on the image enlarged by an integer; None if that cannot be told."""
        return enlarged(prompt, factor)

    @check(
        "The region of a spatial prompt is a Region of the size of the grid, on which some pixel is selected",
        why="The core samples points from it, and refuses a region that is empty or of another size.",
        mend="draw with api.draw_clicks, draw_stroke, draw_box, draw_polygon or resize_mask, which take the grid",
    )
    def test_the_region_is_on_the_grid(self) -> None:
        example = self.spatial()
        for grid in GRIDS:
            if wrong := region_fault(example, grid):
                fail(wrong)

    @check(
        "On a finer or coarser grid a spatial prompt selects the same part of the image",
        why="The grid is the resized input, and the same photo is resized differently by different models.",
        mend="bring points onto the grid with grid.place(), or hand the grid to the functions that draw",
    )
    def test_the_region_does_not_depend_on_the_grid(self) -> None:
        for prompt in self._spatial_values():
            expected = _extent(prompt.region(GRIDS[0]).mask, GRIDS[0])
            for grid in GRIDS[1:4]:
                mask = prompt.region(grid).mask
                slack = 2.01 * max(1, 1 / min(grid.scale))  # a click is three pixels of any grid
                off = float(np.abs(_extent(mask, grid) - expected).max())
                demand(off <= slack, f"moved by {off:.1f} pixels of the image on a grid of {grid.size}")

    @check(
        "The prompt on a mirrored image selects the mirrored pixels",
        why="Training mirrors photos and their prompts.",
        mend="count pixels by their centres, as the functions of seemkit.api that draw do",
    )
    def test_the_region_is_mirrored_with_the_image(self) -> None:
        told = False
        for prompt in self._spatial_values():
            turned = self.mirror(prompt, SIZE[1])
            if not isinstance(turned, SpatialPrompt):
                continue
            told = True
            before, after = prompt.region(GRIDS[0]).mask, turned.region(GRIDS[0]).mask
            wrong = int((before[:, ::-1] != after).sum())
            rim = int((before[:, 1:] != before[:, :-1]).sum())  # a pixel at each end of each row may tie
            demand(wrong <= rim, f"selected {wrong} other pixels on the mirrored image")
        if not told:
            skip(UNKNOWN.format("mirror", "width"))

    @check(
        "The prompt on an enlarged image selects the same pixels of the same grid",
        why="Coordinates are pixels of the original photo, whatever size the model works at.",
        mend="bring every coordinate and length onto the grid by its scale",
    )
    def test_the_region_scales_with_the_image(self) -> None:
        told = False
        for prompt in self._spatial_values():
            larger = self.enlarge(prompt, 3)
            if not isinstance(larger, SpatialPrompt):
                continue
            told = True
            before = prompt.region(GRIDS[0]).mask
            after = larger.region(Grid(*SIZE, (3 * SIZE[0], 3 * SIZE[1]))).mask
            wrong = int((before != after).sum()) if before.shape == after.shape else before.size
            demand(
                wrong <= max(4, before.sum() // 50), f"selected {wrong} other pixels on an image 3 x as large"
            )
        if not told:
            skip(UNKNOWN.format("enlarge", "factor"))

    @check(
        "A prompt that lies outside of an image is refused in one sentence, or selects nothing there",
        why="A click beyond the border is a mistake that has to be told, not an answer about another place.",
        mend="give the type a check(image), such as api.check_inside or api.check_overlap",
    )
    def test_a_prompt_outside_of_the_image_is_refused(self) -> None:
        for prompt in self._spatial_values():
            rows, columns = np.nonzero(prompt.region(GRIDS[0]).mask)
            if not len(rows) or (rows.min() < 2 and columns.min() < 2):
                continue
            small = (max(int(rows.min()) - 1, 1), max(int(columns.min()) - 1, 1))
            try:
                prompt.check(small)
                selected = prompt.region(Grid(*small)).mask.any()
            except Exception as error:  # of the plugin
                sentence_of(error, f"an image of {small[1]} x {small[0]} pixels that it lies outside of")
                continue
            demand(
                not selected,
                f"selected pixels of an image of {small[1]} x {small[0]} that it lies outside of",
            )

    @check(
        "An object in the last pixel of an image can be prompted",
        why="Valid points lie in [0, W) x [0, H), so the last pixel belongs to the image like any other.",
        mend="do not cut coordinates at the border, and clip pixels, not points",
    )
    def test_the_last_pixel_can_be_selected(self) -> None:
        self.sound()
        last = np.zeros(SIZE, bool)
        last[-1, -1] = True
        prompt = self.simulate(last)
        if not isinstance(prompt, SpatialPrompt):
            skip("it cannot be simulated on an object of one pixel")
        try:
            prompt.check(SIZE)
        except PromptError as error:
            fail(f"refused what it simulated for the last pixel: {error}")
        for grid in GRIDS[:3]:
            mask = prompt.region(grid).mask
            rows, columns = (
                -(-grid.height // SIZE[0]),
                -(-grid.width // SIZE[1]),
            )  # the pixels of it that the grid has
            demand(mask[-rows:, -columns:].any(), f"did not select it on a grid of {grid.size}")

    @check(
        "A spatial prompt that excludes selects the same pixels as the one that includes",
        why="The sign of the points is the core's; the pixels are the plugin's.",
        mend="do not look at self.include in region(), beyond handing it to Region",
    )
    def test_excluding_selects_the_same_pixels(self) -> None:
        example = self.sound()
        if not self.prompt.excludes:
            skip("it cannot be excluded")
        without = example.model_copy(update={"include": False})
        same = np.array_equal(example.region(GRIDS[0]).mask, without.region(GRIDS[0]).mask)
        demand(same, "selected other pixels when it excluded")

    @check(
        "A region takes no more memory than its grid has pixels",
        why="Hundreds of regions are held at once, and a view keeps the whole array behind it alive.",
        mend="return an array made for this grid, not a view of a larger one",
    )
    def test_a_region_is_no_larger_than_its_grid(self) -> None:
        grid = Grid(240, 320, SIZE)
        mask = self.sound().region(grid).mask
        base = mask
        while isinstance(base.base, np.ndarray):
            base = base.base
        demand(
            base.nbytes <= 2 * 240 * 320, f"kept {base.nbytes} bytes alive for a grid of {240 * 320} pixels"
        )

    def _spatial_values(self) -> list[SpatialPrompt]:
        self.sound()
        return [value for value in self.values() if isinstance(value, SpatialPrompt)]


def _extent(mask: NDArray[np.bool_], grid: Grid) -> NDArray[np.float64]:
    """Left, top, right and bottom of what is selected, in pixels of the original image."""
    rows, columns = np.nonzero(mask)
    across, down = grid.scale
    sides = (columns.min() / across, rows.min() / down, (columns.max() + 1) / across, (rows.max() + 1) / down)
    return np.array(sides, np.float64)

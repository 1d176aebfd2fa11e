"""`seemkit.prompts` gives the installed prompt types by class name, without torch, through the registry."""

import subprocess
import sys
from pathlib import Path

import pytest

import seemkit.prompts

ROOT = Path(__file__).parents[2]
NAMES = ["Audio", "Box", "Concept", "Mask", "Memory", "Point", "Polygon", "Reference", "Scribble", "Text"]
DISTRIBUTION = {
    "METADATA": "Metadata-Version: 2.1\nName: seemkit-lasso\nVersion: 0.1\nRequires-Dist: seemkit<1,>=0.1\n",
    "entry_points.txt": "[seemkit.prompts]\nlasso = seemkit_lasso.lasso:Lasso\n",
    "RECORD": "",
}


def run(code: str, *paths: Path) -> str:
    """What `code` prints in a fresh interpreter that finds modules and distributions in `paths` too."""
    lines = [f"import sys; sys.path[:0] = {[str(p) for p in (*paths, *map(Path, sys.path))]!r}", code]
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def lasso(tmp_path: Path) -> tuple[Path, Path]:
    """Paths on which seemkit-lasso is installed: its metadata and its source."""
    info = tmp_path / "seemkit_lasso-0.1.0.dist-info"
    info.mkdir()
    for name, text in DISTRIBUTION.items():
        (info / name).write_text(text)
    return tmp_path, ROOT / "plugins" / "seemkit-lasso" / "src"


def test_the_built_in_types_are_there_under_their_names() -> None:
    assert set(NAMES) <= set(dir(seemkit.prompts))
    for name in NAMES:
        assert getattr(seemkit.prompts, name).__name__ == name


def test_an_unknown_name_is_told_the_nearest() -> None:
    with pytest.raises(
        AttributeError, match=r"no installed plugin provides the prompt 'Boxx'; did you mean 'Box'\?"
    ):
        seemkit.prompts.Boxx
    assert not hasattr(seemkit.prompts, "_private")


def test_a_star_import_brings_all_of_them() -> None:
    assert set(NAMES) <= set(run("from seemkit.prompts import *\nprint(*globals())").split())


def test_making_checking_and_simulating_prompts_loads_no_torch() -> None:
    code = """
import numpy as np
from seemkit.prompts import *
from seemkit.api import Grid, read_prompt
mask = np.eye(48, 64, 5, dtype=bool) | np.eye(48, 64, 6, dtype=bool)
for kind in (Point, Box, Scribble, Polygon, Mask, Text, Reference, Memory, Concept, Audio):
    example = kind.example()
    example.check((48, 64))
    example.content_key()
    simulated = kind.simulate(mask, np.random.default_rng(0))
    if simulated is not None:
        simulated.region(Grid(48, 64))
print(sorted({'torch', 'timm', 'open_clip'} & set(sys.modules)))
"""
    assert run(code) == "[]"


def test_listing_and_importing_the_names_loads_neither_a_plugin_nor_an_image_library() -> None:
    code = """
import seemkit.api, seemkit.prompts
dir(seemkit.prompts)
heavy = {'seemkit_prompts', 'torch', 'scipy', 'skimage', 'pycocotools', 'PIL'}
print(sorted(heavy & {name.partition('.')[0] for name in sys.modules}))
"""
    assert run(code) == "[]"


def test_an_installed_third_party_prompt_is_listed_read_parsed_and_simulated(
    lasso: tuple[Path, Path],
) -> None:
    code = """
import numpy as np
import seemkit.prompts
from seemkit.api import Grid, read_prompt, prompt_types
from seemkit.prompting.read import read_flag
assert 'Lasso' in dir(seemkit.prompts)
assert 'seemkit_lasso' not in sys.modules
from seemkit.prompts import Lasso, Point, Reference
assert prompt_types()['lasso'] is Lasso
prompt = read_flag(Lasso, 'dog:2,2 20,2 20,20 2,20')
assert read_prompt(prompt.model_dump(mode='json')) == prompt
prompt.check((24, 24))
region = prompt.region(Grid(24, 24))
assert region.kind == 'extent' and region.area == 18 * 18
mask = np.zeros((24, 24), bool); mask[5:15, 5:15] = True
held = Lasso.simulate(mask, np.random.default_rng(0)).region(Grid(24, 24)).mask
assert held[mask].all()
assert read_prompt({'type': 'seemkit-lasso/lasso', 'points': [(1, 1), (5, 1), (5, 5)]}).type == 'lasso'
nested = Reference(image='a.png', prompts=[prompt])
assert read_prompt(nested.model_dump(mode='json')) == nested
try:
    read_prompt({'type': 'laso'})
except ValueError as error:
    print(error)
print('torch' in sys.modules)
"""
    assert run(code, *lasso).splitlines() == [
        "prompts[0].type 'laso' is not an installed prompt type; did you mean 'lasso'?",
        "False",
    ]


def test_a_plugin_that_cannot_be_imported_is_named_where_its_prompts_are_asked_for(
    tmp_path: Path, lasso
) -> None:  # type: ignore[no-untyped-def]
    broken = tmp_path / "broken" / "seemkit_lasso"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("")
    (broken / "lasso.py").write_text("raise RuntimeError('no rope')")
    code = """
import seemkit.prompts
from seemkit.prompts import Point
from seemkit.api import read_prompt
for ask in (lambda: read_prompt({'type': 'lasso'}), lambda: seemkit.prompts.Lasso):
    try:
        ask()
    except (ValueError, AttributeError) as error:
        print('no rope' in str(error), 'seemkit-lasso' in str(error))
print('Lasso' in seemkit.prompts.__all__, 'Point' in seemkit.prompts.__all__)
"""
    assert run(code, tmp_path, tmp_path / "broken").splitlines() == ["True True", "True True", "False True"]


def test_a_type_that_two_plugins_claim_is_refused_with_both_names(
    tmp_path: Path, lasso: tuple[Path, Path]
) -> None:
    info = tmp_path / "seemkit_rope-2.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: seemkit-rope\nVersion: 2.0\n")
    (info / "entry_points.txt").write_text("[seemkit.prompts]\nrope = seemkit_rope:Lasso\n")
    (tmp_path / "seemkit_rope.py").write_text(
        "from seemkit_lasso.lasso import Lasso as Base\n\n\nclass Lasso(Base):\n    '''Another lasso.'''\n"
    )
    code = """
import seemkit.prompts
from seemkit.api import read_prompt
fields = {'points': [(1, 1), (5, 1), (5, 5)]}
for ask in (lambda: read_prompt({'type': 'lasso', **fields}), lambda: seemkit.prompts.Lasso):
    try:
        ask()
    except (ValueError, AttributeError) as error:
        print('seemkit-lasso/lasso' in str(error), 'seemkit-rope/rope' in str(error))
print(type(read_prompt({'type': 'seemkit-rope/rope', **fields})).__module__)
"""
    assert run(code, *lasso).splitlines() == ["True True", "True True", "seemkit_rope"]

"""Listing reads metadata and source text; it imports no plugin and no torch."""

import json
import subprocess
import sys
import textwrap

from seemkit_registry import Registry


def test_listing_a_hundred_plugins_imports_none_of_them_and_no_torch(world):
    source = "import torch\nraise RuntimeError\n\n\nclass Thing:\n    '''Summary {i}.'''\n"
    for i in range(100):
        package = {f"hundred_{i}.__init__": "import torch\n", f"hundred_{i}.deep": source.format(i=i)}
        world.install(f"hundred-{i}", {"prompts": {f"thing_{i}": f"hundred_{i}.deep:Thing"}}, package)
    program = """
        import json, sys
        from seemkit_registry import Registry
        sys.path.insert(0, sys.argv[1])
        found = Registry(path=[sys.argv[1]], host_version="1.0").components()
        listed = [component.as_dict() for component in found]
        heavy = [m for m in sys.modules if m.split(".")[0] in ("torch", "numpy") or m.startswith("hundred_")]
        print(json.dumps([listed, heavy]))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), str(world.folder)],
        capture_output=True,
        check=True,
        text=True,
    )
    listed, heavy = json.loads(done.stdout)
    assert heavy == []
    assert {c["summary"] for c in listed} == {f"Summary {i}." for i in range(100)}
    assert {c["line"] for c in listed} == {5}
    assert {c["state"] for c in listed} == {"declared"}


def test_a_component_says_what_its_metadata_says(world, thing):
    world.install(
        "Seemkit_Lasso",
        {"prompts": {"lasso@2": "lasso_plugin:Thing [gpu]"}},
        {"lasso_plugin": thing},
        version="3.1",
        requires=["seemkit>=0.1,<2", "numpy", 'pydantic; extra == "gpu"'],
        extras=["gpu"],
    )
    (component,) = world.registry().components("prompts")
    assert component.name == "lasso"
    assert component.revision == 2
    assert component.qualified == "seemkit-lasso/lasso@2"
    assert component.version == "3.1"
    assert component.api == "<2,>=0.1"
    assert component.extras == ("gpu",)
    assert component.value == "lasso_plugin:Thing [gpu]"
    assert component.provided_by == "entry point"
    assert component.summary == "What the thing is."
    assert component.file == world.folder / "lasso_plugin.py"
    assert component.line == 4
    assert json.dumps(component.as_dict())


def test_the_summary_falls_back_to_the_modules_and_then_to_nothing(world):
    modules = {
        "plain": '"""Of the module."""\nclass Thing: pass\n',
        "bare": "class Thing: pass\n",
        "broken": "class Thing(:\n",
        "elsewhere": '"""Of the module."""\nfrom json import JSONDecoder as Thing\n',
        "nested": "class Outer:\n    class Thing:\n        'Within.'\n",
    }
    values = {name: f"{name}:{'Outer.' * (name == 'nested')}Thing" for name in modules}
    world.install("many", {"prompts": {**values, "gone": "gone:Thing"}}, modules)
    summaries = {c.name: c.summary for c in world.registry().components()}
    assert summaries == {
        "plain": "Of the module.",
        "bare": "",
        "broken": "",
        "elsewhere": "Of the module.",
        "nested": "Within.",
        "gone": "",
    }


def test_the_source_is_found_in_packages_namespaces_and_through_the_record(world, thing, tmp_path):
    world.install(
        "deep",
        {"prompts": {"a": "space.inner.module:Thing", "b": "package:Thing"}},
        {"space.inner.module": thing, "package.__init__": thing},
    )
    # Not on sys.path, so that only the distribution's own list of files leads to it.
    hidden = type(world)(tmp_path / "hidden")
    hidden.folder.mkdir()
    hidden.install("hidden", {"prompts": {"c": "hidden_module:Thing"}}, {"hidden_module": thing})
    registry = Registry(path=[str(world.folder), str(hidden.folder)], host_version="1.0")
    files = {c.name: c.file for c in registry.components()}
    assert files == {
        "a": world.folder / "space/inner/module.py",
        "b": world.folder / "package/__init__.py",
        "c": hidden.folder / "hidden_module.py",
    }


def test_the_first_distribution_of_a_name_on_the_path_counts(world, thing, tmp_path):
    world.install("twin", {"prompts": {"new": "twin_plugin:Thing"}}, {"twin_plugin": thing}, version="2.0")
    other = type(world)(tmp_path / "other")
    other.folder.mkdir()
    other.install("Twin", {"prompts": {"old": "twin_plugin:Thing"}}, {"twin_plugin": thing})
    paths = [str(world.folder), str(other.folder)]
    assert [c.name for c in Registry(path=paths, host_version="1").components()] == ["new"]
    assert [c.name for c in Registry(path=paths[::-1], host_version="1").components()] == ["old"]


def test_kinds_are_data(world, thing):
    world.install("more", {"exporters": {"onnx": "onnx_plugin:Thing"}}, {"onnx_plugin": thing})
    registry = world.registry()
    assert "exporters" in registry.kinds()
    assert "prompts" in registry.kinds()
    assert registry.get("exporters", "onnx").__name__ == "Thing"


def test_metadata_is_read_again_on_refresh(world, thing):
    registry = world.registry()
    assert registry.components() == []
    info = world.install("late", {"prompts": {"late": "late_plugin:Thing"}}, {"late_plugin": thing})
    registry.refresh()
    first = registry.get("prompts", "late")
    registry.refresh()
    assert registry.components()[0].state == "loaded"
    assert registry.get("prompts", "late") is first
    info.rename(world.folder / "gone")
    registry.refresh()
    assert registry.components() == []


def test_what_was_missing_is_tried_again_on_refresh(world, thing):
    world.install(
        "needy", {"prompts": {"needy": "needy_plugin:Thing"}}, {"needy_plugin": "import needed_xyz\n" + thing}
    )
    registry = world.registry()
    assert registry.load_all("prompts") == []
    (world.folder / "needed_xyz.py").write_text("")
    registry.refresh()
    assert [component.name for component, _ in registry.load_all("prompts")] == ["needy"]
    assert registry.faults() == []


def test_importing_the_engine_has_no_side_effect():
    program = "import sys, logging, seemkit_registry as r; print(r._default, logging.root.handlers)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)
    assert done.stdout.strip() == "None []"

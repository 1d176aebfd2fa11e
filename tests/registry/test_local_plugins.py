"""Components from notebooks and from one-file plugins."""

import sys
import threading

import pytest

from seemkit_registry import PluginQuarantined, RegistryError, UnknownComponent

LASSO = '''
from dataclasses import dataclass
from json import JSONDecoder


@dataclass
class Lasso:
    """A lasso around the object."""

    component = ("prompts", "lasso")
    x: int = 1


class Derived(Lasso):
    pass


def build():
    """A builder."""

build.component = ("backbones", "tiny@2")
'''


@pytest.fixture
def lasso(tmp_path):
    path = tmp_path / "lasso.py"
    path.write_text(LASSO)
    return path


def test_registering_again_replaces(world):
    registry = world.registry()
    for answer in (1, 2):
        component = registry.register(
            "prompts", "lasso", type("Lasso", (), {"__doc__": "A lasso.\nMore.", "answer": answer})
        )
    assert component.qualified == "local/lasso"
    assert component.summary == "A lasso."
    assert component.provided_by == "registered"
    assert registry.get("prompts", "lasso").answer == 2
    assert len(registry.components("prompts")) == 1


def test_registering_without_replacing_is_refused(world):
    registry = world.registry()
    registry.register("prompts", "lasso", int)
    with pytest.raises(RegistryError, match="'local/lasso' exists already"):
        registry.register("prompts", "lasso", float, replace=False)
    assert registry.get("prompts", "lasso") is int


@pytest.mark.parametrize(
    ("kind", "name", "obj", "says"),
    [
        ("prompts", "lasso", 3, "was not registered: a wrong object"),
        ("prompt", "lasso", int, "did you mean 'prompts'"),
        ("prompts", "a.b", int, "not a component's name"),
        ("prompts", "mine/lasso", int, "register 'lasso' with distribution='mine'"),
    ],
)
def test_a_wrong_registration_is_one_sentence_and_changes_nothing(world, kind, name, obj, says):
    registry = world.registry()
    registry.expect("prompts", lambda found: None if isinstance(found, type) else "not a class")
    with pytest.raises(RegistryError, match=says):
        registry.register(kind, name, obj)
    assert registry.components() == []


def test_a_registered_name_hides_the_installed_one_of_the_same_distribution_until_unregistered(world, thing):
    world.install("kit", {"prompts": {"lasso": "kit_lasso:Thing"}}, {"kit_lasso": thing})
    registry = world.registry()
    installed = registry.get("prompts", "lasso")
    registry.register("prompts", "lasso", int, distribution="Kit")
    assert registry.get("prompts", "kit/lasso") is int
    registry.unregister("prompts", "kit/lasso")
    assert registry.get("prompts", "lasso") is installed
    with pytest.raises(UnknownComponent, match="it is installed, so: pip uninstall kit"):
        registry.unregister("prompts", "lasso", distribution="kit")


def test_a_file_adds_what_it_declares_itself(world, lasso):
    registry = world.registry()
    components = registry.load_file(lasso)
    assert [(c.kind, c.qualified, c.provided_by, c.summary, c.line) for c in components] == [
        ("prompts", "local/lasso", "file", "A lasso around the object.", 7),
        ("backbones", "local/tiny@2", "file", "A builder.", 18),
    ]
    assert registry.get("prompts", "lasso")().x == 1
    assert registry.get("backbones", "tiny")() is None
    assert not list(lasso.parent.glob("__pycache__"))


def test_a_file_that_changed_replaces_what_it_declared_before(world, lasso):
    registry = world.registry()
    registry.load_file(lasso)
    first = registry.get("prompts", "lasso")
    assert sys.modules[first.__module__].Lasso is first
    lasso.write_text(LASSO.replace("x: int = 1", "x: int = 2").replace('"tiny@2"', '"small"'))
    registry.load_file(lasso)
    assert registry.get("prompts", "lasso")().x == 2
    assert [c.name for c in registry.components()] == ["small", "lasso"]


def test_the_caller_may_say_what_is_a_component(world, tmp_path):
    path = tmp_path / "my.py"
    path.write_text("class One: kind = 'prompts'\nclass Two: pass\n")
    registry = world.registry()
    found = registry.load_file(
        path, lambda obj: (obj.kind, obj.__name__.lower()) if hasattr(obj, "kind") else None
    )
    assert [c.qualified for c in found] == ["local/one"]


@pytest.mark.parametrize(
    ("source", "error", "says"),
    [
        ("x = 1\n1 / 0\n", PluginQuarantined, "raised at line 2: ZeroDivisionError"),
        ("def f(:\n", PluginQuarantined, "raised at line 1: SyntaxError"),
        (
            "import sys; sys.exit('bye')",
            PluginQuarantined,
            "tried to end the program at line 1: SystemExit: bye",
        ),
        ("import no_such_module_xyz", PluginQuarantined, "No module named 'no_such_module_xyz'"),
        ("class Lasso: pass", RegistryError, "declares no component; give a class"),
        ("from json import JSONDecoder", RegistryError, "declares no component"),
        ("class Lasso: component = 'lasso'", RegistryError, "has component = 'lasso'; expected a pair"),
        ("class Lasso: component = ('promts', 'lasso')", RegistryError, "did you mean 'prompts'"),
        ("class Lasso: component = ('prompts', 'a.b')", RegistryError, "not a component's name"),
    ],
)
def test_a_wrong_file_is_one_sentence_and_adds_nothing(world, tmp_path, source, error, says):
    path = tmp_path / "wrong.py"
    path.write_text(source)
    registry = world.registry()
    with pytest.raises(error, match=says) as caught:
        registry.load_file(path)
    assert "\n" not in str(caught.value)
    assert registry.components() == []
    assert len(registry.faults()) == (error is PluginQuarantined)


@pytest.mark.parametrize(
    ("name", "says"),
    [("gone.py", "there is no plugin file"), ("notes.txt", "ends in .py"), ("a.py", "ends in .py")],
)
def test_what_is_no_plugin_file_is_refused(world, tmp_path, name, says):
    (tmp_path / "notes.txt").write_text("")
    (tmp_path / "a.py").mkdir()
    with pytest.raises(RegistryError, match=says):
        world.registry().load_file(tmp_path / name)


def test_a_name_of_a_file_that_raised_is_explained_and_corrected(world, lasso):
    registry = world.registry()
    lasso.write_text("1 / 0\n")
    with pytest.raises(PluginQuarantined):
        registry.load_file(lasso)
    with pytest.raises(UnknownComponent, match=r"plugin 'lasso\.py' is quarantined: it raised at line 1"):
        registry.get("prompts", "lasso")
    lasso.write_text(LASSO)
    registry.load_file(lasso)
    assert registry.faults() == []


def test_thirty_two_threads_get_one_object_and_the_module_runs_once(world, thing):
    counting = "import builtins as b, time\nb.test_runs = getattr(b, 'test_runs', 0) + 1\ntime.sleep(0.05)\n"
    world.install("slow", {"prompts": {"slow": "slow_plugin:Thing"}}, {"slow_plugin": counting + thing})
    world.install(
        "bad", {"prompts": {"bad": "slow_bad:Thing"}}, {"slow_bad": "import time\ntime.sleep(0.05)\n1 / 0\n"}
    )
    registry = world.registry()
    found, errors, barrier = [], [], threading.Barrier(32)

    def work():
        barrier.wait()
        found.append(registry.get("prompts", "slow"))
        try:
            registry.get("prompts", "bad")
        except PluginQuarantined as error:
            errors.append(str(error))

    threads = [threading.Thread(target=work) for _ in range(32)]
    import builtins

    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert builtins.test_runs == 1
    finally:
        del builtins.test_runs
    assert len(found) == 32
    assert len({id(obj) for obj in found}) == 1
    assert len(errors) == 32
    assert len(set(errors)) == 1
    assert len(registry.faults()) == 1


def test_threads_that_meet_in_each_others_imports_do_not_deadlock(world):
    # One thread imports the plugin directly, the other through the registry; both ask for the base.
    source = (
        "import time, seemkit_registry\ntime.sleep(0.05)\n"
        "other = seemkit_registry.current_test_registry.get('prompts', 'base')\nclass Thing: pass\n"
    )
    world.install("meet", {"prompts": {"meet": "meet_plugin:Thing", "base": "base_plugin:Base"}},
                  {"meet_plugin": source, "base_plugin": "class Base: pass\n"})  # fmt: skip
    import importlib

    import seemkit_registry

    registry = seemkit_registry.current_test_registry = world.registry()
    try:
        threads = [
            threading.Thread(target=importlib.import_module, args=("meet_plugin",), daemon=True),
            threading.Thread(target=registry.get, args=("prompts", "meet"), daemon=True),
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=20)
        assert not any(thread.is_alive() for thread in threads)
    finally:
        del seemkit_registry.current_test_registry
    assert registry.get("prompts", "meet").__name__ == "Thing"

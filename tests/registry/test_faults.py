"""Every kind of fault is injected: the host lives, says so once in one line, and in full on request."""

import logging
from dataclasses import dataclass, field

import pytest

from seemkit_registry import PluginQuarantined, Registry
from seemkit_registry.fault import describe_exception


@dataclass(frozen=True)
class Case:
    """A faulty plugin ``bad`` and what the line about it must hold."""

    source: str
    says: tuple[str, ...]
    value: str = "bad_plugin:Thing"
    requires: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    static: bool = False  # known without importing it
    traced: bool = True
    metadata: dict[str, str] = field(default_factory=dict)


MODEL = "from pydantic import BaseModel\nclass Thing(BaseModel):\n    x: int\n"
CASES = {
    "missing module": Case("import no_such_module_xyz\n", ("'no_such_module_xyz'", "pip uninstall bad")),
    "missing module of a declared extra": Case(
        "import no_such_module_xyz\n",
        ("'no_such_module_xyz'", 'pip install "bad[audio]"'),
        requires=('no-such-module-xyz; extra == "audio"',),
        extras=("audio",),
    ),
    "missing name in a module": Case("from json import no_such_name\n", ("ImportError", "no_such_name")),
    "exception": Case("raise RuntimeError('line one\\nline two')\n", ("RuntimeError: line one line two",)),
    "exception that cannot be printed": Case(
        "class Odd(Exception):\n    def __str__(self):\n        raise ValueError('no')\nraise Odd\n",
        ("Odd: an error that cannot even be printed",),
    ),
    "exception outside Exception": Case(
        "class Panic(BaseException): pass\nraise Panic('rust')\n", ("Panic: rust",)
    ),
    "SystemExit": Case("import sys\nsys.exit(3)\n", ("tried to end the program", "SystemExit: 3")),
    "SyntaxError": Case("def broken(:\n", ("SyntaxError",)),
    "null bytes": Case("x = 1\n\x00\n", ("raised",)),
    "recursion": Case("def f():\n    return f()\nf()\n", ("RecursionError",)),
    "attribute missing": Case(
        "class Thingy: pass\n", ("no attribute 'Thing'", "there is 'Thingy'"), traced=False
    ),
    "module missing": Case(
        MODEL, ("the module 'not_there' behind its entry point does not exist",), value="not_there:Thing"
    ),
    "attribute hook that raises": Case(
        "def __getattr__(name):\n    raise OSError('disk')\n", ("OSError: disk",), value="bad_plugin:Thing"
    ),
    "wrong object": Case("Thing = 42\n", ("a wrong object", "expected a class, got int"), traced=False),
    "api range": Case(
        MODEL,
        ("asks for seemkit>=2", "seemkit 1.2.0 is installed", "pip install --upgrade bad"),
        requires=("seemkit>=2",),
        static=True,
        traced=False,
    ),
    "unreadable api range": Case(
        MODEL,
        ("'seemkit (=banana)' cannot be read",),
        requires=("seemkit (=banana)",),
        static=True,
        traced=False,
    ),
    "extra not installed": Case(
        MODEL,
        ("not installed: no-such-distribution-xyz>=1", 'pip install "bad[audio]"'),
        value="bad_plugin:Thing [audio]",
        requires=('no-such-distribution-xyz>=1; extra == "audio"',),
        extras=("audio",),
        static=True,
        traced=False,
    ),
    "extra installed in a version too old": Case(
        MODEL,
        ("not installed: pydantic>=99",),
        value="bad_plugin:Thing [new]",
        requires=('pydantic>=99; extra == "new"', "pydantic"),
        extras=("new",),
        static=True,
        traced=False,
    ),
    "extra made of extras": Case(
        MODEL,
        ("no-such-distribution-xyz",),
        value="bad_plugin:Thing [all]",
        requires=('bad[audio]; extra == "all"', 'no-such-distribution-xyz; extra == "audio"'),
        extras=("all", "audio"),
        static=True,
        traced=False,
    ),
    "extra not declared": Case(
        MODEL,
        ("asks for extras that it does not declare: audio",),
        value="bad_plugin:Thing [audio]",
        static=True,
        traced=False,
    ),
    "malformed entry point": Case(
        MODEL,
        ("'bad-plugin:Thing!' is not of the form",),
        value="bad-plugin:Thing!",
        static=True,
        traced=False,
    ),
}


def expect_class(found: object) -> str | None:
    return None if isinstance(found, type) else f"expected a class, got {type(found).__name__}"


@pytest.fixture(params=CASES.values(), ids=CASES.keys())
def case(request) -> Case:
    return request.param


@pytest.fixture
def registry(world, case: Case) -> Registry:
    world.install(
        "bad",
        {"prompts": {"bad": case.value}},
        {"bad_plugin": case.source},
        requires=case.requires,
        extras=case.extras,
    )
    world.install("good", {"prompts": {"good": "good_plugin:Thing"}}, {"good_plugin": MODEL})
    registry = world.registry()
    registry.expect("prompts", expect_class)
    return registry


def test_listing_lives_and_knows_what_metadata_can_tell(registry, case):
    bad, good = registry.components("prompts")
    assert (bad.name, good.name) == ("bad", "good")
    assert bad.state == ("quarantined" if case.static else "declared")
    assert good.state == "declared"


def test_getting_it_raises_the_cause_and_the_way_out_and_the_others_live(registry, case, caplog):
    with caplog.at_level(logging.WARNING, "seemkit"):
        for _ in range(2):
            with pytest.raises(PluginQuarantined) as caught:
                registry.get("prompts", "bad")
            assert caught.value.plugin == "bad"
            for words in case.says:
                assert words in str(caught.value)
        assert registry.get("prompts", "good").__name__ == "Thing"
    assert len(caplog.records) == 1
    assert caplog.records[0].getMessage() == registry.faults()[0].one_line
    assert "\n" not in registry.faults()[0].one_line
    assert len(registry.faults()) == 1
    assert registry.components("prompts")[0].state == "quarantined"
    assert ("Traceback" in registry.faults()[0].details) == case.traced


def test_the_schema_leaves_it_out_and_names_it(registry, case):
    schema = registry.schema("prompts")
    assert [arm["$ref"] for arm in schema["oneOf"]] == ["#/$defs/Thing"]
    assert list(schema["x-seemkit-quarantined"]) == ["bad/bad"]
    assert case.says[0] in schema["x-seemkit-quarantined"]["bad/bad"]
    made = registry.union("prompts").validate_python({"type": "good", "x": 3})
    assert made.x == 3


def test_strict_raises(registry, case, monkeypatch):
    monkeypatch.setenv("SEEMKIT_STRICT", "1")
    for _ in range(2):  # not only the first time
        with pytest.raises(PluginQuarantined):
            registry.schema("prompts")
    if case.static:
        with pytest.raises(PluginQuarantined):
            registry.components()
    with pytest.raises(PluginQuarantined):
        registry.get("prompts", "bad")


def test_a_keyboard_interrupt_is_the_users(world):
    world.install(
        "bad", {"prompts": {"bad": "bad_plugin:Thing"}}, {"bad_plugin": "raise KeyboardInterrupt\n"}
    )
    registry = world.registry()
    with pytest.raises(KeyboardInterrupt):
        registry.get("prompts", "bad")
    assert registry.components("prompts")[0].state == "declared"
    assert registry.importing is None


@pytest.mark.parametrize(
    ("file", "content", "expected"),
    [
        ("entry_points.txt", b"[seemkit.prompts]\nbad = \xff\xfe\n", "metadata cannot be read"),
        ("METADATA", b"Metadata-Version: 2.1\n", "metadata cannot be read"),
    ],
)
def test_a_distribution_with_broken_metadata_is_named_and_the_others_live(
    world, thing, caplog, file, content, expected
):
    info = world.install(
        "seemkit-lasso", {"prompts": {"lasso": "lasso_plugin:Thing"}}, {"lasso_plugin": thing}
    )
    (info / file).write_bytes(content)
    world.install("good", {"prompts": {"good": "good_plugin:Thing"}}, {"good_plugin": thing})
    registry = world.registry()
    assert [c.name for c in registry.components()] == ["good"]
    assert [fault.plugin for fault in registry.faults()] == ["seemkit-lasso"]
    assert expected in registry.faults()[0].one_line
    assert len(caplog.records) == 1
    with pytest.raises(ValueError, match="'seemkit-lasso' is quarantined: its metadata"):
        registry.get("prompts", "lasso")


def test_a_name_declared_twice_by_one_distribution_is_refused(world, thing):
    world.install("bad", {"prompts": {"bad": "a:Thing", "bad@1": "b:Thing"}}, {"a": thing, "b": thing})
    (component,) = world.registry().components("prompts")
    assert component.state == "quarantined"
    assert "more than once: a:Thing, b:Thing" in component.fault.one_line


@pytest.mark.parametrize("name", ["a/b", "a b", "a.b", "a@0", "a@x", "ü"])
def test_a_malformed_name_is_listed_and_quarantined(world, thing, name):
    world.install("bad", {"prompts": {name: "bad_plugin:Thing"}}, {"bad_plugin": thing})
    (component,) = world.registry().components("prompts")
    assert component.name == name
    assert component.state == "quarantined"


def test_a_validator_that_raises_is_a_fault_of_the_object_not_a_crash(world, thing):
    world.install("bad", {"prompts": {"bad": "bad_plugin:Thing"}}, {"bad_plugin": thing})
    registry = world.registry()
    registry.expect("prompts", lambda found: found.no_such_attribute)
    with pytest.raises(PluginQuarantined, match="could not be checked"):
        registry.get("prompts", "bad")


def test_expecting_more_of_what_is_loaded_quarantines_it(world, thing):
    world.install("bad", {"prompts": {"bad": "bad_plugin:Thing"}}, {"bad_plugin": thing})
    registry = world.registry()
    registry.get("prompts", "bad")
    registry.expect("prompts", lambda found: "not good enough")
    assert registry.components("prompts")[0].state == "quarantined"
    with pytest.raises(PluginQuarantined, match="not good enough"):
        registry.get("prompts", "bad")


def test_a_plugin_that_imports_itself_through_the_registry_does_not_hang(world):
    source = "import seemkit_registry\nseemkit_registry.current_test_registry.get('prompts', 'bad')\n"
    world.install("bad", {"prompts": {"bad": "bad_plugin:Thing"}}, {"bad_plugin": source})
    import seemkit_registry

    registry = world.registry()
    seemkit_registry.current_test_registry = registry
    try:
        with pytest.raises(PluginQuarantined):
            registry.get("prompts", "bad")
    finally:
        del seemkit_registry.current_test_registry


def test_the_plugin_being_imported_is_known_meanwhile(world):
    source = "import seemkit_registry\nseen = seemkit_registry.current_test_registry.importing\n"
    world.install("bad", {"prompts": {"slow": "bad_plugin:seen"}}, {"bad_plugin": source})
    import seemkit_registry

    registry = world.registry()
    seemkit_registry.current_test_registry = registry
    try:
        assert registry.get("prompts", "slow").qualified == "bad/slow"
    finally:
        del seemkit_registry.current_test_registry
    assert registry.importing is None


def test_terminal_control_characters_of_a_plugin_do_not_reach_the_line():
    said, _ = describe_exception(RuntimeError("\x1b[31mred\x1b[0m\rback"))
    assert "\x1b" not in said
    assert "\r" not in said

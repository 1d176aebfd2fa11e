"""Hooks form a chain, cost nothing when there are none, and are left out when they misbehave."""

import pytest

from seemkit_registry import HookSet, PluginQuarantined

HEAD = "from seemkit_registry import hookimpl\n"


@pytest.fixture
def install(world):
    """Installs a hook plugin from the source of a module."""

    def install(name: str, source: str, attribute: str = "") -> None:
        value = f"hooks_{name}{attribute}"
        world.install(f"kit-{name}", {"hooks": {name: value}}, {f"hooks_{name}": HEAD + source})

    return install


def test_no_hooks_are_falsy_and_return_the_very_value():
    hooks, value = HookSet(), object()
    assert not hooks
    for call in (hooks.configure, hooks.after_encode, hooks.before_decode, hooks.after_predict):
        assert call(value) is value


def test_each_replacement_goes_into_the_next_hook_and_none_changes_nothing(world, install):
    install("b", "@hookimpl\ndef after_predict(result): return result + ['b']\n")
    install("a", "@hookimpl\ndef after_predict(result): return result + ['a']\n")
    install("c", "@hookimpl\ndef after_predict(result): result.append('seen'); return None\n")
    install("d", "@hookimpl(tryfirst=True)\ndef after_predict(result): return ['d', *result]\n")
    install("e", "@hookimpl\ndef after_predict(): return None\n")
    hooks = world.registry().hooks()
    assert hooks
    assert hooks.after_predict([]) == ["d", "a", "b", "seen"]
    assert hooks.after_encode(5) == 5
    assert hooks.plugins == ["kit-a/a", "kit-b/b", "kit-c/c", "kit-d/d", "kit-e/e"]


def test_a_class_or_an_instance_may_hold_the_hooks(world, install):
    source = "class Plugin:\n    @hookimpl\n    def configure(self, assembly): return assembly * 2\n"
    install("class", source, ":Plugin")
    install("instance", source + "plugin = Plugin()\n", ":plugin")
    assert world.registry().hooks().configure(3) == 12


def test_hook_plugins_are_imported_when_a_pipeline_is_built_and_not_before(world, install):
    install("a", "@hookimpl\ndef configure(assembly): return None\n")
    registry = world.registry()
    assert registry.components("hooks")[0].state == "declared"
    registry.hooks()
    assert registry.components("hooks")[0].state == "loaded"


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("1 / 0\n", "ZeroDivisionError"),
        ("x = 1\n", "implements no hook"),
        (
            "@hookimpl\ndef after_encod(scene): return None\n",
            "'after_encod', which is no hook; did it mean 'after_encode'?",
        ),
        ("@hookimpl\ndef after_encode(picture): return None\n", "Argument"),
        ("@hookimpl(wrapper=True)\ndef after_encode(scene):\n    return (yield)\n", "is a wrapper"),
    ],
)
def test_a_plugin_whose_hooks_cannot_be_used_is_quarantined_and_the_others_work(
    world, install, caplog, source, says
):
    install("bad", source)
    install("good", "@hookimpl\ndef after_encode(scene): return scene + 1\n")
    registry = world.registry()
    hooks = registry.hooks()
    assert hooks.after_encode(1) == 2
    assert hooks.plugins == ["kit-good/good"]
    (fault,) = registry.faults()
    assert says in fault.one_line
    assert fault.plugin == "kit-bad"
    assert [record.getMessage() for record in caplog.records] == [fault.one_line]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("raise ValueError('oh')", "its hook 'before_decode' raised ValueError: oh"),
        ("raise SystemExit(1)", "its hook 'before_decode' raised SystemExit"),
        ("return 'text'", "its hook 'before_decode' returned str instead of int or None"),
    ],
)
def test_a_hook_that_misbehaves_is_named_and_left_out_and_the_others_go_on(
    world, install, caplog, body, says
):
    install(
        "bad",
        f"@hookimpl\ndef before_decode(round):\n    {body}\n@hookimpl\ndef after_encode(scene): return 9\n",
    )
    install("good", "@hookimpl\ndef before_decode(round): return round + 1\n")
    registry = world.registry()
    hooks = registry.hooks()
    assert [hooks.before_decode(1), hooks.before_decode(1)] == [2, 2]
    assert hooks.after_encode(1) == 1
    assert len(caplog.records) == 1
    assert says in caplog.records[0].getMessage()
    assert "kit-bad" in caplog.records[0].getMessage()
    assert registry.components("hooks")[0].state == "quarantined"
    assert registry.hooks().plugins == ["kit-good/good"]


def test_a_misbehaving_hook_raises_in_strict_mode(world, install):
    install("bad", "@hookimpl\ndef before_decode(round): raise ValueError('oh')\n")
    hooks = world.registry(strict=True).hooks()
    with pytest.raises(PluginQuarantined, match="kit-bad") as caught:
        hooks.before_decode(1)
    assert "ValueError: oh" in caught.value.__notes__[0]


def test_a_keyboard_interrupt_in_a_hook_is_the_users(world, install):
    install("bad", "@hookimpl\ndef before_decode(round): raise KeyboardInterrupt\n")
    hooks = world.registry().hooks()
    with pytest.raises(KeyboardInterrupt):
        hooks.before_decode(1)


def test_hooks_may_be_registered_in_a_notebook(world):
    from seemkit_registry import hookimpl

    class Plugin:
        @hookimpl
        def after_predict(self, result):
            return result * 2

    registry = world.registry()
    registry.register("hooks", "double", Plugin)
    assert registry.hooks().after_predict(4) == 8

"""Checks of what a prompt type is to people and to the command line: names, summary, flag, canvas tool."""

import ast
import inspect
import json
import re
import subprocess
import sys
from typing import get_args

from seemkit.prompting.prompt import Draw, Prompt
from seemkit.testing.contract import check
from seemkit.testing.prompt_case import PromptCase, sentence_of
from seemkit.testing.violation import Fault, demand, fail, one_line, skip

__all__ = ["PromptWordChecks"]

NAME = re.compile(r"[a-z][a-z0-9]*([_-][a-z0-9]+)*")
GARBAGE = (
    "",
    " ",
    "no such value",
    "1,2,3,4,5,6,7,8,9,x",
    "nan,inf",
    "\x00\n",
    "{",
    "[1, 2]",
    "=@#;",
    "狗" * 50,
)
LONGEST = 120

_PROBE = """
import importlib, importlib.util, sys
name, file, paths = sys.argv[1], sys.argv[2], sys.argv[3:]
sys.path[:] = paths
if file:
    spec = importlib.util.spec_from_file_location("plugin_under_test", file)
    module = importlib.util.module_from_spec(spec)
    sys.modules["plugin_under_test"] = module
    spec.loader.exec_module(module)
else:
    importlib.import_module(name)
print(*sorted({m.partition(".")[0] for m in sys.modules} & {"torch", "timm", "open_clip", "torchvision"}))
"""


class PromptWordChecks(PromptCase):
    """A prompt type has names that work everywhere, and says what it is."""

    @check(
        "The type of a prompt is lower-case letters and digits, in words joined by '-' or '_', and no 'not-...'",
        why="It is its name in JSON and its flag on the command line, where 'not-' marks exclusion.",
        mend="give the field a literal default such as type: Literal['lasso'] = 'lasso'",
    )
    def test_the_type_is_a_legal_flag(self) -> None:
        default = self.prompt.model_fields["type"].default
        if not isinstance(default, str):
            fail(f"has the type {default!r}")
        legal = NAME.fullmatch(default) and not default.startswith(("not-", "not_")) and default != "not"
        demand(legal, f"has the type {default!r}")
        allowed = get_args(self.prompt.model_fields["type"].annotation)
        demand(allowed == (default,), f"allows {allowed or 'any text'} as its type, not {default!r} alone")

    @check(
        f"The docstring of a prompt type begins with a one-line summary of 10 to {LONGEST} characters",
        why="It is the help of the flag and the line in listings, which have no room for more.",
        mend="write a docstring of the class whose first line is a whole sentence, then an empty line",
    )
    def test_the_summary_is_one_line(self) -> None:
        first, _, rest = inspect.cleandoc(self.prompt.__doc__ or "").partition("\n")
        demand(10 <= len(first) <= LONGEST, f"has the summary {first!r} of {len(first)} characters")
        demand(not rest.partition("\n")[0].strip(), f"goes on in the second line after {first!r}")

    @check(
        "The summary stands in the source as the docstring of the class",
        why="Listings read it from there, so that they import no plugin.",
        mend="write the docstring as a plain string in the class body, not at run time",
    )
    def test_the_summary_is_in_the_source(self) -> None:
        try:
            tree = ast.parse(inspect.getsource(sys.modules[self.prompt.__module__]))
        except (OSError, TypeError, KeyError, SyntaxError):
            skip("there is no source file, as in a notebook")
        name = self.prompt.__name__
        found = [n for n in ast.walk(tree) if isinstance(n, ast.ClassDef) and n.name == name]
        written = {inspect.cleandoc(ast.get_docstring(node) or "") for node in found}
        demand(found, f"has no class {name!r} in the source of {self.prompt.__module__}")
        demand(
            inspect.cleandoc(self.prompt.__doc__ or "") in written, "has another docstring than its source"
        )

    @check(
        "The canvas tool of a prompt type is one that the web page has",
        why="The page offers a tool for every installed type.",
        mend=f"set draw to one of {', '.join(get_args(Draw))}",
    )
    def test_the_canvas_tool_is_known(self) -> None:
        demand(self.prompt.draw in get_args(Draw), f"asks for the tool {self.prompt.draw!r}")

    @check(
        "The flag reads what its documentation says",
        why="On the command line a prompt is one short text.",
        mend="let parse() give the value that the test's 'flags' name, or a JSON object of the fields by default",
    )
    def test_the_flag_reads_its_values(self) -> None:
        for text, expected in self.flags.items():
            found = self.prompt.parse(text)
            demand(found == expected, f"read {text!r} as {one_line(repr(found), 120)}")
        if self.flags:
            return
        if vars(Prompt)["parse"].__func__ is not self.prompt.parse.__func__:  # type: ignore[attr-defined]
            skip("it has a parse() of its own: set flags = {text: value} in the test class")
        example = self.example()
        data = json.loads(example.model_dump_json(exclude={"type"}))
        demand(
            self.prompt.parse(json.dumps(data)) == example, "read the JSON of its example as another value"
        )

    @check(
        "A flag with garbage is read, or refused in one sentence",
        why="The command line ends with that sentence and exit code 2, never with a traceback.",
        mend="use api.floats, api.points_of or api.read_mask_file in parse(), which say what they expected",
    )
    def test_garbage_in_the_flag_is_refused_in_a_sentence(self) -> None:
        for text in GARBAGE:
            try:
                found = self.prompt.parse(text)
            except Fault:
                raise
            except Exception as error:  # of the plugin
                sentence_of(error, f"the flag value {text!r}")
                continue
            demand(isinstance(found, self.prompt), f"read {text!r} as a {type(found).__name__}")

    @check(
        "Importing the module of a prompt type loads no torch",
        why="Help, listings and the schema import every prompt type, and have to stay fast.",
        mend="import torch within encode() and build(), or under TYPE_CHECKING",
    )
    def test_importing_it_loads_no_torch(self) -> None:
        name = self.prompt.__module__
        module = sys.modules.get(name)
        file = getattr(module, "__file__", None)
        if name == "__main__" or file is None:
            skip("it is not in a module that can be imported, as in a notebook")
        by_name = _importable(name)
        words = [sys.executable, "-c", _PROBE, name, "" if by_name else file, *sys.path]
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=120)
        if done.returncode:
            fail(f"could not be imported in a new process: {one_line(done.stderr.strip()[-200:])}")
        demand(not done.stdout.strip(), f"loaded {one_line(done.stdout)}")


def _importable(name: str) -> bool:
    from importlib.util import find_spec

    try:
        spec = find_spec(name.partition(".")[0])
        return spec is not None and spec.origin not in (None, "namespace")
    except (ImportError, ValueError):
        return False

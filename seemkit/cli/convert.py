"""`seemkit convert`: a published file becomes a weights file."""

import click

from seemkit.cli.chatter import chatter_aside
from seemkit.cli.command import Command
from seemkit.cli.progress import Progress

__all__ = ["convert"]


@click.command(cls=Command)
@click.argument("file")
@click.option(
    "--assembly",
    "name",
    metavar="NAME|FILE.yaml",
    required=True,
    help="The assembly that the file is for; nothing in a file tells v0 from v1.",
)
@click.option("-o", "--output", "out", metavar="OUT.safetensors", required=True, help="Where the weights go.")
@click.option("--half", is_flag=True, help="Store float16: half the size, read as float32.")
def convert(file: str, name: str, out: str, half: bool) -> None:
    """Convert a published .pt file to weights of an assembly.

    FILE holds a state dict or a training checkpoint. None of its code runs, its names and shapes have to be those
    of the assembly, and its values finite real numbers; else all that differ are listed and nothing is written.
    """
    from seemkit.assembly import load_assembly
    from seemkit.cli.tables import print_lines

    assembly = load_assembly(name)
    with chatter_aside(), Progress() as progress:
        progress.say(f"converting {file}")
        from seemkit.checkpoint.convert import convert_checkpoint

        made = convert_checkpoint(file, out, assembly, half=half)
    record = made.record
    print_lines(
        [
            ("weights", f"{made.path} ({made.path.stat().st_size / 1e6:.1f} MB)"),
            ("holds", f"{made.parameters} parameters, {made.values / 1e6:.1f} million values"),
            (
                "assembly",
                f"{record['assembly']}" + (f", as {record['variant']}" if record["variant"] else ""),
            ),
            ("license", str(record["license"])),
            ("source", f"{record['source']}, SHA-256 {record['source_sha256']}"),
            ("use", f"-m {name} --weights {made.path}"),
        ]
    )

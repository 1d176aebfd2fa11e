"""Prompts that ship with seemkit: each module is one plugin behind the `seemkit.prompts` entry point."""

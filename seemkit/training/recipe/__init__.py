"""Recipes: what `seemkit train` does, as a strict configuration."""

from seemkit.training.recipe.load import load_recipe, recipe_names
from seemkit.training.recipe.recipe import Recipe, Source

__all__ = ["Recipe", "Source", "load_recipe", "recipe_names"]

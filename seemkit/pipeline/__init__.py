"""From prompts on a scene to masks: the model and what happens in it."""

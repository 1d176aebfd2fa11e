"""Property tests here draw fifty examples and take the time they need: a busy machine is no failure."""

from hypothesis import settings

settings.register_profile("unhurried", deadline=None, max_examples=50)
settings.load_profile("unhurried")

"""The tickets domain once more, in Python and from the rules in words: what the app is compared with."""

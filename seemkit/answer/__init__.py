"""How the row that answers an object is chosen from what its anchors say."""

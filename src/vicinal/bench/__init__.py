"""How fast the engine is on this machine. Commands call `measuring`."""

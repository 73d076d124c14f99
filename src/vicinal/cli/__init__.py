"""The command line: `app.py` lists the commands, one module for each group of them."""

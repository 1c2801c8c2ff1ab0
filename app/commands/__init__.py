"""What the command line asks of a server that runs, or of one of its own.

moduletree train  ->  config (hyperparameters)  +  Tree (trees)  ->  a run  ->  watched (watching)  ->  exit code
moduletree runs   ->  a table | one run | what was asked of it
"""

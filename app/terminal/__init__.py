"""What a person has at a terminal, with no server: the source that they name, opened and printed.

SOURCE -> `named` -> `opened` -> `tree_lines` | `found_lines` -> `write`
"""

"""Trees of modules: torch only, no HTTP, no SQL.

source -> module -> TreeIndex -> views, texts, code, summary
              ^-- edit, rearrange, apply   (a change makes a new index)
              ^-> snapshot           (what is kept of a revision)
"""

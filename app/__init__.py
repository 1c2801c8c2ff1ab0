"""Moduletree: what is inside a PyTorch model, and what happens to it while it learns.

trees, training  <-  storage  <-  api, pages  <-  main  <-  cli
"""

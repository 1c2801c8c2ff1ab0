"""Checkpoints: what is in a file, read from its headers; nothing in it is run, imported or loaded.

file -> safetensors_header | shards | torch_file (archive, pickled, rebuilds) -> Contents
Contents -> keys (classes)                                                    -> Description
Contents -> place of a tensor -> ranges (decoding) -> page of values, statistics, heat map
data -> readings -> making, reader_process -> questions -> reader, a process      -> the same of tensors of any size
"""

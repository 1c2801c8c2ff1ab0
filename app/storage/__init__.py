"""What outlives the server: rows in a database, tensors in files beside it.

Database (one writing connection)  <-  Trees, RunStore  ->  TensorFiles
"""

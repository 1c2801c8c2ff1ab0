"""A module that does not import."""

raise RuntimeError("the data set is not there")

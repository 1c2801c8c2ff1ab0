"""What a run's log says about how it learns: rules over losses and statistics of modules, each with its figures."""

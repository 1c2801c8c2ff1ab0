"""The tutorial's own tree: three LinearModels, and the start of the run that it prints."""

NAME = "linear_model1"

SOURCE: dict[str, object] = {
    "kind": "linear",
    "root": {
        "weight": 0.9385080337524414,
        "bias": 0.5002855658531189,
        "children": {"sub1": {"children": {"sub2_1": {}}}},
    },
    "seed": 0,
    "forward": "own",
}

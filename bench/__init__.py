"""What Moduletree costs, measured."""

"""The tree API, over HTTP and at its parts."""

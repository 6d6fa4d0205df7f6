"""kapply: apply Kubernetes manifests to an API server by plain REST calls.

The package imports nothing on its own, so that `kapply --version` starts at once.
"""

from kapply.version import __version__

__all__ = ["__version__"]

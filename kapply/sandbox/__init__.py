"""A Kubernetes API server inside kapply: REST over SQLite, the semantics of kube-apiserver."""

"""What the real kube-apiserver answers, recorded, and the commands that record it."""

from pathlib import Path

DATA = Path(__file__).parents[2] / "kapply" / "sandbox" / "data"

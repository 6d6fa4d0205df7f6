"""Benchmarks: kapply beside its peers, in one run, as ratios. They report; they do not judge.

python -m tests.bench.bench_apply      create, apply unchanged, diff: 1,000 objects by every tool,
                                       kube-prometheus by kapply and kubectl, 10,000 by kapply
"""

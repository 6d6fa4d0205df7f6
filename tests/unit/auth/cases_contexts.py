"""Contexts, and the flags that stand for their parts."""

from __future__ import annotations

from tests.unit.auth.cases import BEARER, NONE, PROMPTS, Case, cfg, one
from tests.unit.auth.cases_files import TWO_CONTEXTS

CONTEXTS = [
    one(
        "current-context",
        TWO_CONTEXTS,
        sent={"authorization": "Bearer u", "path": "/k/probe"},
        namespace="na",
    ),
    one(
        "--context",
        TWO_CONTEXTS,
        flags={"context": "b"},
        sent={"authorization": "Bearer v", "path": "/l/probe"},
        namespace="default",
    ),
    one(
        "--user",
        TWO_CONTEXTS,
        flags={"user": "v"},
        sent={"authorization": "Bearer v", "path": "/k/probe"},
        namespace="na",
    ),
    one(
        "--cluster",
        TWO_CONTEXTS,
        flags={"cluster": "l"},
        sent={"authorization": "Bearer u", "path": "/l/probe"},
        namespace="na",
    ),
    one(
        "--context with --user",
        TWO_CONTEXTS,
        flags={"context": "b", "user": "u"},
        sent={"authorization": "Bearer u", "path": "/l/probe"},
    ),
    one(
        "--cluster and --user without a context",
        TWO_CONTEXTS.replace("current-context: a", ""),
        flags={"cluster": "l", "user": "u"},
        sent={"authorization": "Bearer u", "path": "/l/probe"},
    ),
    one(
        "--context that is missing",
        TWO_CONTEXTS,
        flags={"context": "z"},
        error='context "z" does not exist',
    ),
    one(
        "--cluster that is missing",
        TWO_CONTEXTS,
        flags={"cluster": "z"},
        error='cluster "z" does not exist',
    ),
    one(
        "--user that is missing", TWO_CONTEXTS, flags={"user": "z"}, error='user "z" does not exist'
    ),
    Case("--context without a kubeconfig", {}, {"context": "z"}, error="there is no kubeconfig"),
    one(
        "current-context that is missing",
        TWO_CONTEXTS.replace("current-context: a", "current-context: z"),
        error='current-context names "z", which does not exist',
    ),
    one(
        "current-context that is missing, and --context",
        TWO_CONTEXTS.replace("current-context: a", "current-context: z"),
        flags={"context": "b"},
        sent={"authorization": "Bearer v"},
    ),
    one(
        "no current-context",
        TWO_CONTEXTS.replace("current-context: a", ""),
        error="no context is chosen",
    ),
    one("no current-context, one context only", cfg(current=""), error="no context is chosen"),
    one(
        "a context without a cluster",
        cfg().replace("cluster: k, user: u", "user: u"),
        error='context "c" .*names no cluster',
    ),
    one(
        "a context whose cluster is missing",
        cfg().replace("cluster: k, user: u", "cluster: z, user: u"),
        error='names the cluster "z", which does not exist',
    ),
    one(
        "a context whose user is missing",
        cfg().replace("cluster: k, user: u", "cluster: k, user: z"),
        sent=NONE,
        warns='names the user "z"',
        differs=PROMPTS,
    ),
    one(
        "a context without a user",
        cfg().replace("cluster: k, user: u", "cluster: k"),
        sent=NONE,
        differs=PROMPTS,
    ),
    one("namespace of the context", cfg(context="namespace: team"), sent=BEARER, namespace="team"),
    one(
        "-n",
        cfg(context="namespace: team"),
        flags={"namespace": "mine"},
        sent=BEARER,
        namespace="mine",
    ),
    one("no namespace", cfg(), sent=BEARER, namespace="default"),
    one(
        "names may be odd",
        cfg()
        .replace("name: c,", 'name: "a/b@c:d e",')
        .replace("current-context: c", 'current-context: "a/b@c:d e"'),
        sent=BEARER,
    ),
]

TIMEOUTS = [
    one(
        "--request-timeout in seconds",
        cfg(),
        flags={"request-timeout": "20"},
        sent={**BEARER, "path": "/probe?timeout=20s"},
    ),
    one(
        "--request-timeout with a unit",
        cfg(),
        flags={"request-timeout": "1m30s"},
        sent={**BEARER, "path": "/probe?timeout=1m30s"},
    ),
    one(
        "--request-timeout 0 is none",
        cfg(),
        flags={"request-timeout": "0"},
        sent={**BEARER, "path": "/probe"},
    ),
    one(
        "--request-timeout that is none",
        cfg(),
        flags={"request-timeout": "soon"},
        error="not a duration",
    ),
    one(
        "--request-timeout without a unit",
        cfg(),
        flags={"request-timeout": "1.5"},
        error="not a duration",
    ),
]

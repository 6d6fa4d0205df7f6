"""Laws of reading, merging and resolving kubeconfig files."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kapply.auth.credentials import impersonation_headers
from kapply.auth.files import default_parse_yaml
from kapply.auth.kubeconfig import load, merge, parse
from kapply.auth.model import Connection, Impersonation, Kubeconfig, Overrides, SourceFile
from kapply.auth.resolve import parse_timeout, resolve
from kapply.errors import ConfigError, UsageError

SERVERS = st.sampled_from(
    ["https://a:1", "https://b/x", "http://c", "d:1", "", "ftp://e", "https://", "https://[::1]"]
)
NAMES = st.sampled_from(["a", "b", "c", ""])
TEXT = st.text(max_size=5)

CLUSTERS = st.fixed_dictionaries(
    {},
    optional={
        "server": SERVERS,
        "certificate-authority": TEXT,
        "certificate-authority-data": st.sampled_from(["", "QUJD", "!"]),
        "insecure-skip-tls-verify": st.booleans(),
        "tls-server-name": TEXT,
        "proxy-url": st.sampled_from(["", "http://p:1", "socks5://p", "x"]),
        "disable-compression": st.booleans(),
    },
)
PLUGINS = st.fixed_dictionaries(
    {},
    optional={
        "command": TEXT,
        "apiVersion": st.sampled_from(["client.authentication.k8s.io/v1", "x"]),
        "interactiveMode": st.sampled_from(["Never", "Always", "x"]),
        "args": st.lists(TEXT, max_size=2),
    },
)
USERS = st.fixed_dictionaries(
    {},
    optional={
        "token": TEXT,
        "tokenFile": TEXT,
        "username": TEXT,
        "password": TEXT,
        "client-certificate-data": st.sampled_from(["", "QUJD"]),
        "client-key-data": st.sampled_from(["", "QUJD"]),
        "as": TEXT,
        "as-groups": st.lists(TEXT, max_size=2),
        "as-user-extra": st.dictionaries(TEXT, st.lists(TEXT, max_size=2), max_size=2),
        "exec": PLUGINS,
        "auth-provider": st.fixed_dictionaries({"name": st.sampled_from(["", "gcp"])}),
    },
)
CONTEXTS = st.fixed_dictionaries({}, optional={"cluster": NAMES, "user": NAMES, "namespace": TEXT})


def named(key: str, values: st.SearchStrategy[Any]) -> st.SearchStrategy[list[dict[str, Any]]]:
    return st.dictionaries(NAMES, values, max_size=3).map(
        lambda found: [{"name": name, key: value} for name, value in found.items()]
    )


CONFIGS = st.fixed_dictionaries(
    {},
    optional={
        "current-context": NAMES,
        "clusters": named("cluster", CLUSTERS),
        "users": named("user", USERS),
        "contexts": named("context", CONTEXTS),
    },
)
FLAGS = st.builds(
    Overrides,
    context=NAMES,
    cluster=NAMES,
    user=NAMES,
    namespace=TEXT,
    server=SERVERS,
    token=TEXT,
    username=TEXT,
    as_=TEXT,
    insecure_skip_tls_verify=st.sampled_from([None, True, False]),
    certificate_authority=st.sampled_from(["", "/ca"]),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
KEYS = ["clusters", "users", "contexts", "current-context", "kind", "apiVersion", "name", "user"]
KEYS += ["cluster", "context", "exec", "env", "as-user-extra", "extensions", "auth-provider"]
SHAPES = st.recursive(
    JSON,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4)
    ),
    max_leaves=20,
)


def as_file(value: object, path: str = "/home/me/.kube/config") -> SourceFile:
    return SourceFile(path, json.dumps(value).encode())


def read(value: object, path: str = "/home/me/.kube/config") -> Kubeconfig | None:
    try:
        return parse(as_file(value, path), lambda data, _: json.loads(data))
    except ConfigError:
        return None


@given(SHAPES)
def test_any_shape_is_read_or_refused_with_its_file(value: object) -> None:
    try:
        parse(as_file(value), lambda data, _: json.loads(data))
    except ConfigError as error:
        assert "/home/me/.kube/config" in str(error)


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        load([SourceFile("/f", data)], default_parse_yaml)
    except ConfigError as error:
        assert "/f" in str(error)


@given(st.lists(CONFIGS, max_size=4))
def test_the_first_file_wins_whole_entries(values: list[dict[str, Any]]) -> None:
    configs = [found for n, one in enumerate(values) if (found := read(one, f"/d{n}/f"))]
    merged = merge(configs)
    for kind in ("clusters", "users", "contexts"):
        names = {name for config in configs for name in getattr(config, kind)}
        assert set(getattr(merged, kind)) == names
        for name in names:
            first = next(c for c in configs if name in getattr(c, kind))
            assert getattr(merged, kind)[name] is getattr(first, kind)[name]
    wanted = [config.current_context for config in configs if config.current_context]
    assert merged.current_context == (wanted[0] if wanted else "")


@given(CONFIGS, CONFIGS, CONFIGS)
def test_merging_is_associative_and_the_empty_file_is_neutral(
    one: dict[str, Any], two: dict[str, Any], three: dict[str, Any]
) -> None:
    a, b, c = (read(value) or Kubeconfig() for value in (one, two, three))
    assert merge([merge([a, b]), c]) == merge([a, merge([b, c])]) == merge([a, b, c])
    assert merge([a, a]).users == a.users
    empty = Kubeconfig()
    assert merge([empty, a, empty]) == a


def settle(value: dict[str, Any], flags: Overrides, env: dict[str, str]) -> Connection | str:
    try:
        return resolve([as_file(value)], flags, env, parse_yaml=lambda data, _: json.loads(data))
    except (ConfigError, UsageError) as error:
        return str(error)


@given(CONFIGS, FLAGS, st.sampled_from([{}, {"KUBERNETES_MASTER": "https://m:1"}]))
def test_what_comes_out_can_be_used(
    value: dict[str, Any], flags: Overrides, env: dict[str, str]
) -> None:
    found = settle(value, flags, env)
    if isinstance(found, str):
        assert found
        return
    assert found.server.startswith(("https://", "http://"))
    assert not found.server.endswith("/")
    assert found.namespace
    assert not (found.ca_file and found.ca_data)
    assert not (found.insecure and (found.ca_file or found.ca_data))
    who = found.credentials
    assert not (who.token and who.username)
    if who.exec is not None:
        assert not (who.token or who.token_file or who.username or who.has_certificate)
    if not found.is_tls:
        assert not (who.token or who.token_file or who.username or who.password)
        assert not (who.has_certificate or who.exec)
    if flags.server:
        assert found.tls_server_name == flags.tls_server_name
    if flags.namespace:
        assert found.namespace == flags.namespace
    if flags.token and found.is_tls:
        assert who.token == flags.token
        assert who.token_file == ""


@given(CONFIGS, FLAGS)
def test_a_given_server_is_where_it_goes(value: dict[str, Any], flags: Overrides) -> None:
    found = settle(value, flags, {"KUBERNETES_MASTER": "https://never:1"})
    if isinstance(found, Connection) and flags.server == "https://a:1":
        assert found.server == "https://a:1"


@given(st.text(max_size=12))
def test_any_timeout_is_read_or_refused(text: str) -> None:
    try:
        seconds = parse_timeout(text)
    except UsageError as error:
        assert text in str(error)
    else:
        assert seconds is None or seconds > 0


@given(st.text(max_size=10), st.lists(st.text(max_size=5)), st.dictionaries(TEXT, st.lists(TEXT)))
def test_no_impersonation_can_add_a_header(
    user: str, groups: list[str], extra: dict[str, list[str]]
) -> None:
    wanted = Impersonation(
        user, groups=tuple(groups), extra=tuple((k, tuple(v)) for k, v in extra.items())
    )
    try:
        headers = impersonation_headers(wanted)
    except ConfigError:
        return
    for name, value in headers.items():
        assert name.startswith("Impersonate-")
        assert name.isascii()
        assert name.isprintable()
        assert "\r" not in value
        if name in ("Impersonate-User", "Impersonate-Uid"):
            assert "\n" not in value
    sent = headers.get("Impersonate-Group")
    assert (sent.split("\n") if sent is not None else []) == [
        group.encode().decode("latin-1") for group in groups
    ]

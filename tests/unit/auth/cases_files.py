"""Which files are read, and how they are put together."""

from __future__ import annotations

from tests.unit.auth.cases import BEARER, PROMPTS, Case, cfg, one

TWO_CONTEXTS = (
    "apiVersion: v1\nkind: Config\ncurrent-context: a\n"
    "clusters:\n"
    '- {name: k, cluster: {server: "@SERVER@/k", certificate-authority: "@CA@"}}\n'
    '- {name: l, cluster: {server: "@SERVER@/l", certificate-authority: "@CA@"}}\n'
    "users:\n- {name: u, user: {token: u}}\n- {name: v, user: {token: v}}\n"
    "contexts:\n"
    "- {name: a, context: {cluster: k, user: u, namespace: na}}\n"
    "- {name: b, context: {cluster: l, user: v}}\n"
)


FILES = [
    one("the plain case", cfg(), sent={**BEARER, "path": "/probe", "cert": "", "sni": ""}),
    Case("~/.kube/config", {"home/.kube/config": cfg()}, sent=BEARER),
    Case(
        "KUBECONFIG replaces ~/.kube/config",
        {"home/.kube/config": cfg(user="token: home"), "config": cfg()},
        env={"KUBECONFIG": "@DIR@/config"},
        sent=BEARER,
    ),
    Case(
        "KUBECONFIG that is empty counts as not set",
        {"home/.kube/config": cfg()},
        env={"KUBECONFIG": ""},
        sent=BEARER,
    ),
    Case("--kubeconfig", {"f": cfg()}, {"kubeconfig": "f"}, sent=BEARER),
    Case(
        "--kubeconfig beats KUBECONFIG and is not merged with it",
        {"f": cfg(user="token: flag"), "config": cfg(more="")},
        {"kubeconfig": "@DIR@/f"},
        {"KUBECONFIG": "@DIR@/config"},
        sent={"authorization": "Bearer flag"},
    ),
    Case("--kubeconfig that is missing", {}, {"kubeconfig": "none"}, error="none does not exist"),
    Case("--kubeconfig that is a folder", {"d/f": ""}, {"kubeconfig": "d"}, error="is a folder"),
    Case(
        "missing files of KUBECONFIG are skipped",
        {"f": cfg()},
        env={"KUBECONFIG": "@DIR@/no:@DIR@/f:@DIR@/none"},
        sent=BEARER,
    ),
    Case(
        "empty and double entries of KUBECONFIG are dropped",
        {"f": cfg()},
        env={"KUBECONFIG": "::@DIR@/f::@DIR@/f:"},
        sent=BEARER,
    ),
    Case(
        "relative entries of KUBECONFIG",
        {"f": cfg()},
        env={"KUBECONFIG": "./f"},
        sent=BEARER,
    ),
    Case(
        "all files of KUBECONFIG missing",
        {},
        env={"KUBECONFIG": "@DIR@/no:@DIR@/none"},
        error="no kubeconfig",
    ),
    Case("no configuration at all", {}, error="no kubeconfig"),
    one("a file of 0 bytes", "", error="no kubeconfig"),
    one("only comments", "# nothing\n", error="no kubeconfig"),
    one(
        "a file of 0 bytes beside a good one",
        "",
        files={"g": cfg()},
        env={"KUBECONFIG": "@DIR@/config:@DIR@/g"},
        sent=BEARER,
    ),
    one("not YAML", "a: [", error=r"config:\d"),
    one("tabs", "a:\n\t- b\n", error=r"config:\d"),
    one("a list", "- a\n", error="expected a mapping, found a list"),
    one("a string", "hello\n", error="expected a mapping, found a string"),
    one("another kind", "apiVersion: v1\nkind: Pod\n", error="not a kubeconfig.*v1 Pod"),
    one("another version", "apiVersion: v2\nkind: Config\n", error="not a kubeconfig.*v2 Config"),
    one(
        "no apiVersion and kind",
        cfg().replace("apiVersion: v1\nkind: Config\n", ""),
        sent=BEARER,
    ),
    one("unknown fields are left aside", cfg(more="zzz: 1\npreferences: {}\n"), sent=BEARER),
    one(
        "a broken file beside a good one is an error",
        cfg(),
        files={"g": "a: ["},
        env={"KUBECONFIG": "@DIR@/config:@DIR@/g"},
        error=r"g:\d",
    ),
    one(
        "JSON",
        '{"apiVersion":"v1","kind":"Config","current-context":"c",'
        '"clusters":[{"name":"k","cluster":{"server":"@SERVER@","certificate-authority":"@CA@"}}],'
        '"users":[{"name":"u","user":{"token":"t"}}],'
        '"contexts":[{"name":"c","context":{"cluster":"k","user":"u"}}]}',
        sent=BEARER,
    ),
    one(
        "a key twice",
        cfg(user="token: t, token: u"),
        error="given twice",
        differs="kubectl takes the last of two equal keys without a word",
    ),
    one(
        "a cluster name twice",
        cfg(more="").replace("clusters: [", "clusters: [{name: k, cluster: {server: x}}, "),
        error='clusters has two entries named "k"',
    ),
    one(
        "a user name twice",
        cfg().replace("users: [", "users: [{name: u, user: {}}, "),
        error='users has two entries named "u"',
    ),
    one(
        "a context name twice",
        cfg().replace("contexts: [", "contexts: [{name: c, context: {}}, "),
        error='contexts has two entries named "c"',
    ),
    one(
        "a name in two files is none too many",
        cfg(),
        files={"g": cfg(user="token: g")},
        env={"KUBECONFIG": "@DIR@/config:@DIR@/g"},
        sent=BEARER,
    ),
    one(
        "null lists",
        cfg(more="extensions: null\n").replace("u}", "u, extensions: null}"),
        sent=BEARER,
    ),
    one(
        "bare y and no are booleans where strings belong",
        cfg(user="token: yes"),
        error='user "u": token: expected a string, found a boolean',
    ),
    one(
        "a number as token", cfg(user="token: 5"), error="token: expected a string, found a number"
    ),
    one(
        "a string as flag",
        cfg(cluster='insecure-skip-tls-verify: "true"'),
        error="insecure-skip-tls-verify: expected true or false, found a string",
    ),
    one(
        "a number as flag",
        cfg(cluster="insecure-skip-tls-verify: 1"),
        error="insecure-skip-tls-verify: expected true or false",
    ),
    one("yes as flag", cfg(cluster="insecure-skip-tls-verify: yes"), sent=BEARER),
    one(
        "a list as user",
        cfg().replace("{token: t}", "[]"),
        error='user "u": expected a mapping|users.0.: user: expected a mapping',
    ),
    one(
        "a mapping as users",
        cfg().replace("users: [", "users: {a: [").replace("t}}]", "t}}]}"),
        error="users: expected a list, found a mapping",
    ),
    one(
        "a string as context",
        cfg(more="").replace("contexts: [", "contexts: [x, "),
        error="contexts.0.: expected a mapping, found a string",
    ),
    one(
        "groups that are one string",
        cfg(user="as: j, as-groups: g"),
        error="as-groups: expected a list",
    ),
    one(
        "groups that are numbers",
        cfg(user="as: j, as-groups: [1]"),
        error="as-groups: expected a list of strings",
    ),
    one(
        "data that is no base64",
        cfg(cluster="certificate-authority-data: '%%%'"),
        error="certificate-authority-data: not base64",
    ),
    one(
        "data without padding",
        cfg(cluster="certificate-authority-data: abc"),
        error="certificate-authority-data: not base64",
    ),
]

MERGING = [
    Case(
        "entries from several files",
        {
            "1": cfg().split("users:")[0],
            "2": "users: [{name: u, user: {token: two}}]\n",
            "3": "contexts: [{name: c, context: {cluster: k, user: u}}]\n",
        },
        env={"KUBECONFIG": "@DIR@/1:@DIR@/2:@DIR@/3"},
        sent={"authorization": "Bearer two"},
    ),
    Case(
        "the first file has an entry whole: nothing of a later one is mixed in",
        {"1": cfg(user="as: jane"), "2": cfg(user="token: two")},
        env={"KUBECONFIG": "@DIR@/1:@DIR@/2"},
        sent={"authorization": "", "impersonate": (("impersonate-user", "jane"),)},
        differs=PROMPTS,
    ),
    Case(
        "the first file that sets current-context wins",
        {
            "1": TWO_CONTEXTS.replace("current-context: a\n", ""),
            "2": "current-context: b\n",
            "3": "current-context: a\n",
        },
        env={"KUBECONFIG": "@DIR@/1:@DIR@/2:@DIR@/3"},
        sent={"authorization": "Bearer v", "path": "/l/probe"},
    ),
    Case(
        "an empty current-context does not count",
        {"1": 'current-context: ""\n', "2": TWO_CONTEXTS},
        env={"KUBECONFIG": "@DIR@/1:@DIR@/2"},
        sent={"authorization": "Bearer u"},
    ),
    Case(
        "current-context of the first names an entry of the second",
        {"1": "current-context: b\n", "2": TWO_CONTEXTS},
        env={"KUBECONFIG": "@DIR@/1:@DIR@/2"},
        sent={"authorization": "Bearer v"},
    ),
    Case(
        "order decides, not the name",
        {"1": cfg(user="token: one"), "2": cfg(user="token: two")},
        env={"KUBECONFIG": "@DIR@/2:@DIR@/1"},
        sent={"authorization": "Bearer two"},
    ),
]

PATHS = [
    one("CA beside the file", cfg(cluster="certificate-authority: pki/ca.crt"), sent=BEARER),
    one("CA by ../", cfg(cluster="certificate-authority: ../@BASE@/pki/ca.crt"), sent=BEARER),
    Case(
        "relative to the file that defines the entry, not to the first or the folder",
        {
            "a/1": "current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u}}]\n",
            "b/2": "users: [{name: u, user: {tokenFile: token}}]\n",
            "d/3": 'clusters: [{name: k, cluster: {server: "@SERVER@",'
            " certificate-authority: ../pki/ca.crt}}]\n",
            "b/token": "from-b",
            "a/token": "from-a",
            "token": "from-cwd",
        },
        env={"KUBECONFIG": "@DIR@/a/1:@DIR@/b/2:@DIR@/d/3"},
        sent={"authorization": "Bearer from-b"},
    ),
    one(
        "client certificate and key beside the file",
        cfg(user="client-certificate: pki/alice.crt, client-key: pki/alice.key"),
        sent={"authorization": "", "cert": "alice"},
    ),
    Case(
        "flags are relative to the working folder",
        {"sub/config": cfg(cluster="", user="")},
        {
            "kubeconfig": "sub/config",
            "certificate-authority": "pki/ca.crt",
            "client-certificate": "pki/alice.crt",
            "client-key": "pki/alice.key",
        },
        sent={"cert": "alice"},
    ),
    one(
        "a CA file that is missing",
        cfg(cluster="certificate-authority: no.crt"),
        error=r"certificate-authority .*no\.crt.*No such file",
    ),
    one("a token file that is missing", cfg(user="tokenFile: gone"), error="gone.*No such file"),
    one(
        "a certificate file that is missing",
        cfg(user="client-certificate: no.crt, client-key: pki/alice.key"),
        error=r"client-certificate .*no\.crt cannot be read",
    ),
    one(
        "a key file that is missing",
        cfg(user="client-certificate: pki/alice.crt, client-key: no.key"),
        error=r"client-key .*no\.key cannot be read",
    ),
    one(
        "a CA file without a certificate",
        cfg(cluster="certificate-authority: empty.crt"),
        files={"empty.crt": "nothing"},
        error=r"empty\.crt holds no certificate",
    ),
]

"""Servers, and whom to trust."""

from __future__ import annotations

from tests.unit.auth.cases import BEARER, NONE, Case, cfg, one

CLUSTERS = [
    one("CA as data", cfg(cluster="certificate-authority-data: @CA_DATA@"), sent=BEARER),
    one(
        "CA as data in several lines",
        cfg(cluster='certificate-authority-data: "@CA_LINES@"'),
        sent=BEARER,
    ),
    one(
        "CA as data and as file",
        cfg(cluster="certificate-authority: @CA@, certificate-authority-data: @CA_DATA@"),
        error="both certificate-authority and certificate-authority-data",
    ),
    one("another CA", cfg(cluster="certificate-authority: @OTHERCA@"), error="unknown authority"),
    one("no CA", cfg(cluster=""), error="unknown authority"),
    one(
        "an extension twice",
        cfg(
            cluster="certificate-authority: @CA@, extensions: [{name: e, extension: {}},"
            " {name: e, extension: {}}]"
        ),
        error='two extensions named "e"',
    ),
    one("insecure", cfg(cluster="insecure-skip-tls-verify: true"), sent=BEARER),
    one(
        "insecure and CA",
        cfg(cluster="insecure-skip-tls-verify: true, certificate-authority: @CA@"),
        error="certificate authority and insecure-skip-tls-verify",
    ),
    one(
        "insecure and CA data",
        cfg(cluster="insecure-skip-tls-verify: true, certificate-authority-data: @CA_DATA@"),
        error="certificate authority and insecure-skip-tls-verify",
    ),
    one(
        "insecure: false and CA",
        cfg(cluster="insecure-skip-tls-verify: false, certificate-authority: @CA@"),
        sent=BEARER,
    ),
    one(
        "--insecure-skip-tls-verify clears CA",
        cfg(cluster="certificate-authority: @OTHERCA@"),
        flags={"insecure-skip-tls-verify": "true"},
        sent=BEARER,
    ),
    one(
        "--insecure-skip-tls-verify clears CA data",
        cfg(cluster="certificate-authority-data: @OTHERCA_DATA@"),
        flags={"insecure-skip-tls-verify": "true"},
        sent=BEARER,
    ),
    one(
        "--certificate-authority clears data",
        cfg(cluster="certificate-authority-data: @OTHERCA_DATA@"),
        flags={"certificate-authority": "@CA@"},
        sent=BEARER,
    ),
    one(
        "--certificate-authority clears file",
        cfg(cluster="certificate-authority: @OTHERCA@"),
        flags={"certificate-authority": "@CA@"},
        sent=BEARER,
    ),
    one(
        "--certificate-authority clears insecure",
        cfg(cluster="insecure-skip-tls-verify: true"),
        flags={"certificate-authority": "@OTHERCA@"},
        error="unknown authority",
    ),
    one(
        "--certificate-authority and --insecure-skip-tls-verify",
        cfg(),
        flags={"certificate-authority": "@CA@", "insecure-skip-tls-verify": "true"},
        error="certificate authority and insecure-skip-tls-verify",
    ),
    one(
        "--insecure-skip-tls-verify=false and an insecure entry",
        cfg(cluster="insecure-skip-tls-verify: true"),
        flags={"insecure-skip-tls-verify": "false"},
        error="unknown authority",
        differs="kubectl cannot tell the flag's false from its absence and stays insecure",
    ),
    one(
        "tls-server-name",
        cfg(cluster="certificate-authority: @CA@, tls-server-name: kube.example"),
        sent={**BEARER, "sni": "kube.example"},
    ),
    one(
        "tls-server-name that the certificate does not have",
        cfg(cluster="certificate-authority: @CA@, tls-server-name: other.example"),
        error="another name",
    ),
    one(
        "--tls-server-name",
        cfg(cluster="certificate-authority: @CA@, tls-server-name: other.example"),
        flags={"tls-server-name": "kube.example"},
        sent={**BEARER, "sni": "kube.example"},
    ),
    one(
        "--server clears tls-server-name",
        cfg(cluster="certificate-authority: @CA@, tls-server-name: other.example"),
        flags={"server": "@SERVER@"},
        sent={**BEARER, "sni": ""},
    ),
    one(
        "--server with --tls-server-name",
        cfg(cluster="certificate-authority: @CA@, tls-server-name: other.example"),
        flags={"server": "@SERVER@", "tls-server-name": "kube.example"},
        sent={**BEARER, "sni": "kube.example"},
    ),
    one(
        "--server keeps CA and user",
        cfg(server="https://192.0.2.1"),
        flags={"server": "@SERVER@/x"},
        sent={**BEARER, "path": "/x/probe"},
    ),
    one(
        "a path in the server",
        cfg(server="@SERVER@/clusters/a"),
        sent={**BEARER, "path": "/clusters/a/probe"},
    ),
    one(
        "a path with a slash at its end",
        cfg(server="@SERVER@/a/"),
        sent={**BEARER, "path": "/a/probe"},
    ),
    one("a slash only", cfg(server="@SERVER@/"), sent={**BEARER, "path": "/probe"}),
    one("a query is dropped", cfg(server="@SERVER@/a?x=1"), sent={**BEARER, "path": "/a/probe"}),
    one(
        "a # belongs to the path",
        cfg(server="@SERVER@/a#x"),
        sent={**BEARER, "path": "/a%23x/probe"},
    ),
    one("an escaped path", cfg(server="@SERVER@/a%20b"), sent={**BEARER, "path": "/a%20b/probe"}),
    one("an upper-case scheme", cfg(server="HTTPS://127.0.0.1:@PORT@"), sent=BEARER),
    one("localhost", cfg(server="https://localhost:@PORT@"), sent={**BEARER, "sni": "localhost"}),
    one(
        "no server",
        cfg(server=""),
        error="has no server",
        differs="kubectl takes http://localhost:8080 without a word",
        kubectl="localhost:8080",
    ),
    one(
        "no server and KUBERNETES_MASTER",
        cfg(server=""),
        env={"KUBERNETES_MASTER": "@SERVER@/m"},
        sent={**BEARER, "path": "/m/probe"},
    ),
    one(
        "a server and KUBERNETES_MASTER",
        cfg(),
        env={"KUBERNETES_MASTER": "http://192.0.2.1"},
        sent=BEARER,
    ),
    Case(
        "KUBERNETES_MASTER alone",
        {},
        env={"KUBERNETES_MASTER": "@HTTP@"},
        sent={**NONE, "path": "/probe"},
    ),
    Case("--server alone", {}, {"server": "@HTTP@/x"}, sent={**NONE, "path": "/x/probe"}),
    Case(
        "--server with CA and token",
        {},
        {"server": "@SERVER@", "certificate-authority": "@CA@", "token": "f"},
        sent={"authorization": "Bearer f"},
    ),
    Case("--server without a scheme is http", {}, {"server": "127.0.0.1:@HTTPPORT@"}, sent=NONE),
    Case(
        "--server without a scheme but with a path",
        {},
        {"server": "127.0.0.1:@HTTPPORT@/x"},
        error="not usable",
    ),
    Case("--server of another scheme", {}, {"server": "ftp://127.0.0.1"}, error="not usable"),
    Case(
        "--server with a port that is none",
        {},
        {"server": "http://127.0.0.1:port"},
        error="not usable",
    ),
    one(
        "plain http: the token stays here",
        cfg(server="@HTTP@", cluster=""),
        sent=NONE,
        warns="credentials are not sent",
    ),
    one(
        "plain http: basic stays here",
        cfg(server="@HTTP@", cluster="", user="username: a, password: b"),
        sent=NONE,
        warns="credentials are not sent",
    ),
    one(
        "plain http: a certificate is not read",
        cfg(
            server="@HTTP@", cluster="", user="client-certificate-data: QQ==, client-key-data: QQ=="
        ),
        sent=NONE,
    ),
    one(
        "plain http: --token stays here",
        cfg(server="@HTTP@", cluster="", user=""),
        flags={"token": "f"},
        sent=NONE,
        warns="credentials are not sent",
    ),
    one(
        "plain http: a plugin is not run",
        cfg(
            server="@HTTP@",
            cluster="",
            user="exec: {apiVersion: "
            "client.authentication.k8s.io/v1, command: /no/such, interactiveMode: Never}",
        ),
        sent=NONE,
    ),
    one(
        "plain http: impersonation holds",
        cfg(server="@HTTP@", cluster="", user="as: jane"),
        sent={"impersonate": (("impersonate-user", "jane"),)},
    ),
    one(
        "plain http: no warning without credentials",
        cfg(server="@HTTP@", cluster="", user=""),
        sent=NONE,
        warns="^$",
    ),
    one(
        "proxy-url of another scheme",
        cfg(cluster="certificate-authority: @CA@, proxy-url: ftp://x"),
        error="proxy-url is not usable",
    ),
    one(
        "proxy-url without a scheme",
        cfg(cluster="certificate-authority: @CA@, proxy-url: 'x:1'"),
        error="proxy-url is not usable",
    ),
    one(
        "proxy-url that is not there",
        cfg(cluster="certificate-authority: @CA@, proxy-url: 'http://127.0.0.1:1'"),
        error=r"proxy http://127\.0\.0\.1:1 cannot be used",
    ),
    one(
        "proxies of the environment are not for loopback",
        cfg(),
        env={"HTTPS_PROXY": "http://127.0.0.1:1"},
        sent=BEARER,
    ),
    one(
        "disable-compression",
        cfg(cluster="certificate-authority: @CA@, disable-compression: true"),
        sent={**BEARER, "encoding": ""},
    ),
    one("compression", cfg(), sent={**BEARER, "encoding": "gzip"}),
]

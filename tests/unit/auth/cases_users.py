"""Who asks: tokens, passwords, certificates, impersonation."""

from __future__ import annotations

from tests.unit.auth.cases import BEARER, NONE, PROMPTS, cfg, one

USERS = [
    one("nobody", cfg(user=""), sent=NONE, differs=PROMPTS),
    one("basic", cfg(user="username: a, password: b"), sent={"authorization": "Basic YTpi"}),
    one(
        "a user name without a password",
        cfg(user="username: a"),
        sent={"authorization": "Basic YTo="},
    ),
    one(
        "a password without a user name",
        cfg(user="password: b"),
        sent={"authorization": "Basic OmI="},
        differs=PROMPTS,
    ),
    one("token and basic", cfg(user="token: t, username: a"), error="token and username/password"),
    one(
        "token file",
        cfg(user="tokenFile: tok"),
        files={"tok": "filed\n"},
        sent={"authorization": "Bearer filed"},
    ),
    one(
        "a token file beats a token",
        cfg(user="token: t, tokenFile: tok"),
        files={"tok": "filed"},
        sent={"authorization": "Bearer filed"},
    ),
    one(
        "a token holds while its file is missing", cfg(user="token: t, tokenFile: tok"), sent=BEARER
    ),
    one("--token", cfg(), flags={"token": "f"}, sent={"authorization": "Bearer f"}),
    one(
        "--token beats a token file",
        cfg(user="tokenFile: tok"),
        flags={"token": "f"},
        files={"tok": "filed"},
        sent={"authorization": "Bearer f"},
        differs="kubectl sends the file's token once it was read, whatever --token says",
    ),
    one(
        "--token with a basic entry",
        cfg(user="username: a, password: b"),
        flags={"token": "f"},
        error="token and username/password",
    ),
    one(
        "--token goes along with a certificate",
        cfg(user="client-certificate: @CERT@, client-key: @KEY@"),
        flags={"token": "f"},
        sent={"authorization": "Bearer f", "cert": "alice"},
    ),
    one(
        "certificate files",
        cfg(user="client-certificate: @CERT@, client-key: @KEY@"),
        sent={"authorization": "", "cert": "alice"},
    ),
    one(
        "certificate data",
        cfg(user="client-certificate-data: @CERT_DATA@, client-key-data: @KEY_DATA@"),
        sent={"cert": "alice"},
    ),
    one(
        "certificate file and key data",
        cfg(user="client-certificate: @CERT@, client-key-data: @KEY_DATA@"),
        sent={"cert": "alice"},
    ),
    one(
        "certificate data and key file",
        cfg(user="client-certificate-data: @CERT_DATA@, client-key: @KEY@"),
        sent={"cert": "alice"},
    ),
    one(
        "certificate and token",
        cfg(user="client-certificate: @CERT@, client-key: @KEY@, token: t"),
        sent={**BEARER, "cert": "alice"},
    ),
    one(
        "certificate and basic",
        cfg(user="client-certificate: @CERT@, client-key: @KEY@, username: a, password: b"),
        sent={"authorization": "Basic YTpi", "cert": "alice"},
    ),
    one(
        "certificate without key",
        cfg(user="client-certificate: @CERT@"),
        error="a client certificate but no key",
    ),
    one(
        "certificate data without key",
        cfg(user="client-certificate-data: @CERT_DATA@"),
        error="a client certificate but no key",
    ),
    one(
        "key without certificate",
        cfg(user="client-key: @KEY@, token: t"),
        sent={**BEARER, "cert": ""},
    ),
    one(
        "certificate as data and as file",
        cfg(
            user="client-certificate: @CERT@, client-certificate-data: @CERT_DATA@,"
            " client-key: @KEY@"
        ),
        error="both client-certificate and client-certificate-data",
    ),
    one(
        "key as data and as file",
        cfg(user="client-certificate: @CERT@, client-key: @KEY@, client-key-data: @KEY_DATA@"),
        error="both client-key and client-key-data",
    ),
    one(
        "key of another certificate",
        cfg(user="client-certificate: @CERT@, client-key: @KEY2@"),
        error="does not belong",
    ),
    one(
        "certificate that is none",
        cfg(user="client-certificate-data: QQ==, client-key-data: QQ=="),
        error="cannot be used",
    ),
    one(
        "--client-certificate and --client-key beat files",
        cfg(user="client-certificate: @CERT@, client-key: @KEY@"),
        flags={"client-certificate": "@CERT2@", "client-key": "@KEY2@"},
        sent={"cert": "bob"},
    ),
    one(
        "--client-certificate and --client-key beat data",
        cfg(user="client-certificate-data: @CERT_DATA@, client-key-data: @KEY_DATA@"),
        flags={"client-certificate": "@CERT2@", "client-key": "@KEY2@"},
        sent={"cert": "bob"},
    ),
    one(
        "--client-certificate with the entry's key",
        cfg(user="client-certificate: @CERT2@, client-key: @KEY@"),
        flags={"client-certificate": "@CERT@"},
        sent={"cert": "alice"},
    ),
    one(
        "--client-certificate without a key",
        cfg(user=""),
        flags={"client-certificate": "@CERT@"},
        error="a client certificate but no key",
    ),
    one(
        "auth-provider gcp",
        cfg(user="auth-provider: {name: gcp}"),
        error='auth-provider "gcp" is not supported',
    ),
    one(
        "auth-provider azure",
        cfg(user="auth-provider: {name: azure}"),
        error='auth-provider "azure" is not supported',
    ),
    one(
        "auth-provider oidc",
        cfg(
            user="auth-provider: {name: oidc, config: "
            "{idp-issuer-url: 'https://127.0.0.1:1', client-id: x, id-token: "
            "eyJhbGciOiJub25lIn0.eyJleHAiOjQxMDI0NDQ4MDB9.x}}"
        ),
        error='auth-provider "oidc" is not supported',
        differs="kubectl still has oidc: with a token that has not expired it sends it",
    ),
    one(
        "auth-provider that nobody knows",
        cfg(user="auth-provider: {name: zzz}"),
        error='auth-provider "zzz" is not supported',
    ),
    one("a token with a line break", cfg(user='token: "a\\nb"'), error="line break"),
]

IMPERSONATION = [
    one(
        "as",
        cfg(user="token: t, as: jane"),
        sent={**BEARER, "impersonate": (("impersonate-user", "jane"),)},
    ),
    one(
        "as with all",
        cfg(
            user="token: t, as: jane, as-uid: '7', as-groups: [a, b c],"
            " as-user-extra: {scopes: [view, edit], acme.com/p: [x]}"
        ),
        sent={
            "impersonate": (
                ("impersonate-extra-acme.com%2fp", "x"),
                ("impersonate-extra-scopes", "edit"),
                ("impersonate-extra-scopes", "view"),
                ("impersonate-group", "a"),
                ("impersonate-group", "b c"),
                ("impersonate-uid", "7"),
                ("impersonate-user", "jane"),
            )
        },
    ),
    one(
        "--as",
        cfg(),
        flags={"as": "joe"},
        sent={**BEARER, "impersonate": (("impersonate-user", "joe"),)},
    ),
    one(
        "--as beats the entry",
        cfg(user="token: t, as: jane"),
        flags={"as": "joe"},
        sent={"impersonate": (("impersonate-user", "joe"),)},
    ),
    one(
        "--as keeps the entry's groups",
        cfg(user="token: t, as: jane, as-groups: [a]"),
        flags={"as": "joe"},
        sent={"impersonate": (("impersonate-group", "a"), ("impersonate-user", "joe"))},
    ),
    one(
        "--as-group",
        cfg(),
        flags={"as": "joe", "as-group": "g"},
        sent={"impersonate": (("impersonate-group", "g"), ("impersonate-user", "joe"))},
    ),
    one(
        "--as-uid",
        cfg(),
        flags={"as": "joe", "as-uid": "9"},
        sent={"impersonate": (("impersonate-uid", "9"), ("impersonate-user", "joe"))},
    ),
    one("--as-group without --as", cfg(), flags={"as-group": "g"}, error="but no user"),
    one("as-groups without as", cfg(user="token: t, as-groups: [g]"), error="but no user"),
    one("as-uid without as", cfg(user="token: t, as-uid: u"), error="but no user"),
    one(
        "as-user-extra without as",
        cfg(user="token: t, as-user-extra: {a: [b]}"),
        error="but no user",
    ),
    one("as-groups that is empty", cfg(user="token: t, as-groups: []"), sent=BEARER),
    one(
        "as and certificate",
        cfg(user="client-certificate: @CERT@, client-key: @KEY@, as: j"),
        sent={"cert": "alice", "impersonate": (("impersonate-user", "j"),)},
    ),
    one(
        "as in other letters",
        cfg(user="token: t, as: jürgen"),
        sent={"impersonate": (("impersonate-user", "jürgen"),)},
    ),
]

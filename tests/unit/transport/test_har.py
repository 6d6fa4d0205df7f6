"""HTTP Archives: the format, what is in them, and what is not."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from kapply.auth.credentials import open_credential
from kapply.auth.model import Connection, Credentials
from kapply.errors import Origin, UnreachableError
from kapply.meta import Request
from kapply.transport.factory import open_transport
from kapply.transport.har import HarRecorder
from tests.unit.transport.pki import Authority, server_context
from tests.unit.transport.server import answer, chunked, replies, serving

NUMBER = {"type": "number", "minimum": -1}
TEXT = {"type": "string"}
MOMENT = r"^\d{4}(-\d\d){2}T\d\d(:\d\d){2}\.\d+(Z|[+-]\d\d:\d\d)$"
PAIRS = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["name", "value"],
        "properties": {"name": TEXT, "value": TEXT, "comment": TEXT},
        "additionalProperties": False,
    },
}


def thing(required: dict[str, Any], **optional: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "required": list(required),
        "properties": {**required, **optional, "comment": TEXT},
        "additionalProperties": False,
    }


MESSAGE = {
    "httpVersion": TEXT,
    "cookies": {"type": "array"},
    "headers": PAIRS,
    "headersSize": NUMBER,
    "bodySize": NUMBER,
}
#: The objects of the HAR 1.2 specification that kapply writes, as it words them.
SCHEMA = thing(
    {
        "log": thing(
            {
                "version": {"const": "1.2"},
                "creator": thing({"name": TEXT, "version": TEXT}),
                "entries": {
                    "type": "array",
                    "items": thing(
                        {
                            "startedDateTime": {
                                "type": "string",
                                "pattern": MOMENT,
                            },
                            "time": {"type": "number", "minimum": 0},
                            "request": thing(
                                {**MESSAGE, "method": TEXT, "url": TEXT, "queryString": PAIRS},
                                postData=thing({"mimeType": TEXT, "text": TEXT}),
                            ),
                            "response": thing(
                                {
                                    **MESSAGE,
                                    "status": {"type": "integer"},
                                    "statusText": TEXT,
                                    "redirectURL": TEXT,
                                    "content": thing(
                                        {"size": NUMBER, "mimeType": TEXT},
                                        text=TEXT,
                                        compression=NUMBER,
                                        encoding=TEXT,
                                    ),
                                }
                            ),
                            "cache": {"type": "object", "maxProperties": 0},
                            "timings": thing(
                                {"send": NUMBER, "wait": NUMBER, "receive": NUMBER},
                                blocked=NUMBER,
                                dns=NUMBER,
                                connect=NUMBER,
                                ssl=NUMBER,
                            ),
                        },
                        serverIPAddress=TEXT,
                        connection=TEXT,
                        pageref=TEXT,
                    ),
                },
            }
        )
    }
)


def entries(recorder: HarRecorder) -> list[dict[str, Any]]:
    document = json.loads(json.dumps(recorder.document()))
    jsonschema.validate(document, SCHEMA)
    found: list[dict[str, Any]] = document["log"]["entries"]
    return found


def test_an_archive_of_a_run(tmp_path: Path, authority: Authority) -> None:
    recorder = HarRecorder()
    context = server_context(tmp_path, authority.issue("s"))
    payloads = (
        answer(b"", 503, {"Retry-After": "0"}),
        answer(b'{"kind":"Pod"}'),
        answer(b"", 201),
        chunked([b"a\n"]),
    )
    with serving(replies(*payloads), context) as server:
        connection = Connection(
            server.url, ca_data=authority.certificate, credentials=Credentials(token="t0k3n")
        )
        transport = open_transport(
            connection, open_credential(connection), tracers=[recorder], wait=lambda _: False
        )
        transport.send(Request("GET", "/api", (("a", "b c"), ("token", "t0k3n"))))
        transport.send(Request("PATCH", "/x", headers={"Content-Type": "a/b"}, body=b"{}"))
        with transport.stream(Request("GET", "/w")) as stream:
            list(stream.lines())
        transport.close()
    with pytest.raises(UnreachableError):
        transport.send(Request("DELETE", "/x"))
    busy, pod, patch, watch, gone = entries(recorder)[:5]
    assert [one["response"]["status"] for one in (busy, pod, patch, watch, gone)] == [
        503,
        200,
        201,
        200,
        0,
    ]
    assert busy["timings"]["ssl"] > 0
    assert busy["timings"]["connect"] > busy["timings"]["ssl"]
    assert pod["timings"]["connect"] == -1
    assert pod["comment"] == "try 2; kept connection"
    assert pod["request"]["queryString"] == [
        {"name": "a", "value": "b c"},
        {"name": "token", "value": "<masked>"},
    ]
    assert pod["response"]["content"]["text"] == '{"kind":"Pod"}'
    assert patch["request"]["postData"] == {"mimeType": "a/b", "text": "{}"}
    assert busy["serverIPAddress"] == "127.0.0.1"
    assert "refused" in gone["comment"]
    path = tmp_path / "run.har"
    recorder.write(path)
    recorder.write(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    text = path.read_text()
    assert "t0k3n" not in text
    assert json.loads(text) == recorder.document()
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith(".")] == []


def test_a_secrets_body_is_named_and_not_kept() -> None:
    secret = b'{"kind":"Secret","data":{"a":"cGxhbnRlZA=="}}'
    recorder = HarRecorder()
    with serving(replies(answer(secret))) as server:
        transport = open_transport(Connection(server.url), tracers=[recorder])
        transport.send(Request("PATCH", "/x", body=secret, origin=Origin("a/secret.yaml", 3)))
        transport.close()
    (entry,) = entries(recorder)
    assert "cGxhbnRlZA" not in json.dumps(entry)
    assert "a/secret.yaml:3:1" in entry["request"]["postData"]["text"]


def test_bodies_are_cut() -> None:
    recorder = HarRecorder(body_limit=100)
    with serving(replies(answer(b"x" * 5000))) as server:
        transport = open_transport(Connection(server.url), tracers=[recorder])
        transport.send(Request("GET", "/"))
        transport.close()
    (entry,) = entries(recorder)
    assert len(entry["response"]["content"]["text"]) < 200
    assert entry["response"]["content"]["size"] == 5000


def test_a_folder_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        HarRecorder().write(tmp_path / "none" / "run.har")

"""The schemas that come with kapply, against those that the API server serves."""

from __future__ import annotations

from contextlib import closing

from kapply.meta import GroupVersion
from kapply.openapi import SchemaDocument, parse_index, slim
from kapply.validation import offline_schemas, offline_version
from tests.cluster.cluster import TestCluster


def test_the_bundled_schemas_are_the_servers(apiserver: TestCluster) -> None:
    compared: list[GroupVersion] = []
    with closing(apiserver.client(kept=True)) as client:
        version = client.request("GET", "/version").json()["gitVersion"]
        for group_version, entry in parse_index(
            client.request("GET", "/openapi/v3").json()
        ).items():
            served = client.request("GET", entry.url).json()
            mine = offline_schemas().document(group_version)
            wanted = SchemaDocument(slim(served))
            if mine is None:
                assert not wanted.kinds(), group_version
                continue
            assert mine.components == wanted.components, group_version
            assert mine.mappings() == wanted.mappings(), group_version
            compared.append(group_version)
    assert GroupVersion("apps", "v1") in compared
    assert version.startswith(offline_version())

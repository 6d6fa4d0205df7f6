"""OpenAPI v3 as the API server publishes it: index, documents per group-version, types by kind.

The server's /openapi/v3 lists one document for each group-version, each under a URL with a
hash that changes with the content (KEP-2896), so a document can be cached for good. Everything
here takes decoded JSON and returns plain data; fetching and caching belong to others.
"""

from kapply.openapi.document import SchemaDocument, SchemaSet, ref_name
from kapply.openapi.folder import INDEX, file_of, folder_of
from kapply.openapi.index import IndexEntry, parse_index
from kapply.openapi.slim import slim

__all__ = [
    "INDEX",
    "IndexEntry",
    "SchemaDocument",
    "SchemaSet",
    "file_of",
    "folder_of",
    "parse_index",
    "ref_name",
    "slim",
]

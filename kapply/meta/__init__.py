"""Nouns shared by every layer: kinds, objects, REST mappings, requests. Pure data, no I/O."""

from kapply.meta.http import Replay, Request, Response, Stream, Transport
from kapply.meta.kinds import GroupKind, GroupVersion, GroupVersionKind
from kapply.meta.mapping import RESTMapping
from kapply.meta.objects import JsonObject, ObjectRef, is_secret, ref_of

__all__ = [
    "GroupKind",
    "GroupVersion",
    "GroupVersionKind",
    "JsonObject",
    "ObjectRef",
    "RESTMapping",
    "Replay",
    "Request",
    "Response",
    "Stream",
    "Transport",
    "is_secret",
    "ref_of",
]

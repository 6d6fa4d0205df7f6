"""Reviews: access and identity questions. The sandbox has one user, who may do everything."""

from __future__ import annotations

from typing import Any

from kapply.meta import Response
from kapply.sandbox import decoding, status
from kapply.sandbox.render import Form, json_response
from kapply.sandbox.request import Call
from kapply.sandbox.status import Failure

__all__ = ["review"]


def review(call: Call) -> Response:
    """POST of a review. Raises Failure for resources that cannot be reviewed."""
    obj = decoding.decode_body(call)
    kind = call.resource.gvk.kind
    answer: dict[str, Any] = {k: v for k, v in obj.items() if k != "metadata"}
    answer["metadata"] = {"creationTimestamp": None}
    if kind in ("SelfSubjectAccessReview", "SubjectAccessReview", "LocalSubjectAccessReview"):
        answer["status"] = {"allowed": True, "reason": "the sandbox allows everything"}
    elif kind == "SelfSubjectRulesReview":
        everything = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}
        answer["status"] = {
            "resourceRules": [everything],
            "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
            "incomplete": False,
        }
    elif kind == "SelfSubjectReview":
        answer["metadata"] = {"creationTimestamp": call.env.timestamp()}
        env = call.env
        user: dict[str, Any] = {"username": env.user, "groups": list(env.groups)}
        if env.user_uid:
            user["uid"] = env.user_uid
        if env.extra:
            user["extra"] = {name: list(values) for name, values in env.extra.items()}
        answer["status"] = {"userInfo": user}
    elif kind == "TokenReview":
        answer["status"] = {"authenticated": False, "user": {}}
    elif kind == "Binding":
        raise status.bad_request("use the binding subresource of the pod")
    else:
        raise Failure(404, "NotFound", "the server could not find the requested resource", {})
    return json_response(call, answer, code=201, form=Form())

"""The steps of `kapply tour`, as data: a walk through the API of a Kubernetes server.

It follows what one finds when one looks under the hood of a cluster with nothing but HTTP: what
there is, how it is, the eight verbs, the forms an object can be asked for, kinds of one's own.
"""

from __future__ import annotations

from typing import NamedTuple

NAMESPACE = "kapply-tour"
_HOME = f"/api/v1/namespaces/{NAMESPACE}"


class Command(NamedTuple):
    """One command line.

    Attributes:
        words: behind `kapply`; FILES are named bare.
        code: the exit code that it ends with.
        retry: words of a refusal that passes by itself: it is tried again for a while.
    """

    words: tuple[str, ...]
    code: int = 0
    retry: str = ""


class Step(NamedTuple):
    """A few commands about one thing, with what to look for."""

    title: str
    text: str
    commands: tuple[Command, ...]


def _run(*words: str, code: int = 0, retry: str = "") -> Command:
    return Command(words, code, retry)


_IN = ("-n", NAMESPACE)

FILES: dict[str, str] = {
    "namespace.json": f"""\
{{"apiVersion": "v1", "kind": "Namespace", "metadata": {{"name": "{NAMESPACE}"}}}}
""",
    "pod.json": """\
{
  "apiVersion": "v1",
  "kind": "Pod",
  "metadata": {"name": "web", "labels": {"app": "web"}},
  "spec": {"containers": [{"name": "web", "image": "nginx:1.29"}]}
}
""",
    "second.yaml": """\
apiVersion: v1
kind: Pod
metadata:
  name: second
  labels: {app: web}
spec:
  containers:
  - name: web
    image: nginx:1.29
""",
    "notes.yaml": """\
apiVersion: v1
kind: ConfigMap
metadata: {name: notes}
data: {verb: create}
""",
    "notes-2.yaml": """\
apiVersion: v1
kind: ConfigMap
metadata: {name: notes}
data: {verb: update}
""",
    "deployment.yaml": """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  replicas: 1
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec: {containers: [{name: shop, image: "nginx:1.29"}]}
""",
    "crd.yaml": """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: lanterns.tour.kapply.dev}
spec:
  group: tour.kapply.dev
  scope: Namespaced
  names: {plural: lanterns, singular: lantern, kind: Lantern, shortNames: [ln]}
  versions:
  - name: v1
    served: true
    storage: true
    additionalPrinterColumns: [{name: Colour, type: string, jsonPath: .spec.colour}]
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec: {type: object, properties: {colour: {type: string, description: Of the light.}}}
""",
    "lantern.yaml": """\
apiVersion: tour.kapply.dev/v1
kind: Lantern
metadata: {name: porch}
spec: {colour: amber}
""",
}

#: What a run may have left behind, for its end and its next beginning.
CLEAN_UP = (
    ("delete", "crd", "lanterns.tour.kapply.dev", "--ignore-not-found", "--no-wait"),
    ("delete", "ns", NAMESPACE, "--ignore-not-found", "--no-wait"),
)

STEPS: tuple[Step, ...] = (
    Step(
        "What is it?",
        "A Kubernetes cluster is, from outside, an HTTP server. It says what it is to anybody.",
        (_run("raw", "/version"), _run("version")),
    ),
    Step(
        "How is it?",
        "livez: restart it or not. readyz: send requests or not. Each is a list of checks.",
        (_run("raw", "/livez?verbose"), _run("health")),
    ),
    Step(
        "What is there?",
        "GET / lists paths. /api is the core group; all other groups stand under /apis, with"
        " their versions below. `kapply paths` adds the resources and what can be done to each.",
        (_run("raw", "/"), _run("paths", "--depth", "2"), _run("paths", "/apis/apps")),
    ),
    Step(
        "Groups and versions",
        "The apiVersion of an object is a path: apps/v1 is /apis/apps/v1, v1 is /api/v1.",
        (_run("raw", "/apis/apps"), _run("api-versions")),
    ),
    Step(
        "Discovery",
        "Each group-version lists its resources, with verbs and subresources. Clients learn from"
        " this that `deploy` is /apis/apps/v1/.../deployments. Since 1.27 one GET brings it all.",
        (
            _run("raw", "/api/v1"),
            _run("api-resources", "--api-group", "apps", "-o", "wide"),
            _run(
                "raw", "/apis", "-H",
                "Accept: application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
            ),
        ),
    ),
    Step(
        "OpenAPI",
        "The server describes every field of every kind. `explain` and `validate` read this.",
        (_run("raw", "/openapi/v3"), _run("explain", "pod.spec.containers.image")),
    ),
    Step(
        "Who am I?",
        "Each request is authenticated, then authorized: a verb, a resource, a name.",
        (_run("auth", "whoami"), _run("auth", "can-i", "create", "pods", *_IN)),
    ),
    Step(
        "create: a POST",
        "An object is made by a POST of its JSON to the collection. First a Namespace, then a Pod.",
        (
            _run("raw", "POST", "/api/v1/namespaces", "-f", "namespace.json"),
            # The controller manager gives a new namespace its account a moment later.
            _run("raw", "POST", f"{_HOME}/pods", "-f", "pod.json", retry="serviceaccount"),
        ),
    ),
    Step(
        "YAML is a content type",
        "What is sent is named by Content-Type, what is wanted by Accept.",
        (
            _run(
                "raw", "POST", f"{_HOME}/pods", "-f", "second.yaml",
                "--content-type", "application/yaml",
            ),
            _run("raw", f"{_HOME}/pods/second", "-H", "Accept: application/yaml"),
        ),
    ),
    Step(
        "A refusal is an object too",
        "The same POST again: 409, and a Status whose reason a program can read.",
        (_run("raw", "POST", f"{_HOME}/pods", "-f", "pod.json", code=4),),
    ),
    Step(
        "get and list",
        "One object by its name, or a collection: by label, by field, page by page.",
        (
            _run("raw", f"{_HOME}/pods/web"),
            _run("raw", f"{_HOME}/pods?labelSelector=app%3Dweb&limit=1"),
            _run("get", "pods", *_IN, "--field-selector", "metadata.name=web"),
        ),
    ),
    Step(
        "The columns are the server's",
        "What `get` prints is a Table, which the server makes when it is asked for one.",
        (
            _run(
                "raw", f"{_HOME}/pods/web", "-H",
                "Accept: application/json;as=Table;g=meta.k8s.io;v=v1",
            ),
            _run("get", "pods", *_IN, "-o", "wide"),
        ),
    ),
    Step(
        "watch",
        "A list that does not end: a line of JSON for each change. This one ends after a second.",
        (_run("raw", f"{_HOME}/pods?watch=true&timeoutSeconds=1"),),
    ),
    Step(
        "update: a PUT",
        "The whole object is replaced. metadata.resourceVersion, where it is sent, has to be the"
        " present one.",
        (
            _run("create", "-f", "notes.yaml", *_IN),
            _run("replace", "-f", "notes-2.yaml", *_IN),
            _run("get", "cm", "notes", *_IN, "-o", "jsonpath={.data}{'\\n'}"),
        ),
    ),
    Step(
        "patch: four kinds of it",
        "JSON Patch is a list of operations, a merge patch a part of the object; a strategic one"
        " merges lists by their keys. Apply states what one wants and owns, the server merges.",
        (
            _run(
                "patch", "cm", "notes", *_IN, "--type", "json",
                "-p", '[{"op": "add", "path": "/data/how", "value": "json"}]',
            ),
            _run("patch", "cm", "notes", *_IN, "--type", "merge", "-p", '{"data":{"verb":null}}'),
            _run(
                "patch", "pod", "web", *_IN,
                "-p", '{"spec":{"containers":[{"name":"web","image":"nginx:1.30"}]}}',
            ),
            _run("patch", "cm", "notes", *_IN, "--type", "apply", "-p", '{"data":{"mine":"1"}}'),
            _run("get", "cm", "notes", *_IN, "-o", "yaml", "--show-managed-fields"),
        ),
    ),
    Step(
        "Labels and annotations",
        "They are fields as others are: a merge patch of metadata.",
        (
            _run("label", "pod", "web", "tier=front", *_IN),
            _run("annotate", "pod", "web", "note=seen on a tour", *_IN),
            _run("get", "pods", *_IN, "-L", "tier"),
        ),
    ),
    Step(
        "Subresources",
        "status, scale, log and others stand below an object, with rights of their own.",
        (
            _run("create", "-f", "deployment.yaml", *_IN),
            _run("raw", f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/shop/scale"),
            _run("scale", "deploy", "shop", "--replicas", "2", *_IN),
            _run("get", "pod", "web", *_IN, "--subresource", "status", "-o", "name"),
        ),
    ),
    Step(
        "A kind of one's own",
        "A CustomResourceDefinition is an object as well. Once it is established, the server has"
        " new paths, with every verb, discovery and schema.",
        (
            _run("create", "-f", "crd.yaml"),
            _run("wait", "crd/lanterns.tour.kapply.dev", "--for", "condition=Established"),
            _run("paths", "/apis/tour.kapply.dev"),
            # Discovery may lag behind the definition for a moment.
            _run("create", "-f", "lantern.yaml", *_IN, retry="Lantern"),
            _run("get", "lanterns", *_IN),
            _run("explain", "lantern.spec", retry="Lantern"),
        ),
    ),
    Step(
        "What belongs to what",
        "Objects name their owners: that is how a Deployment has Pods, and how they go with it.",
        (_run("get", "deploy", "shop", *_IN, "-o", "tree"), _run("events", *_IN)),
    ),
    Step(
        "delete and deletecollection",
        "One object, or all that a selector chooses, by one DELETE.",
        (
            _run("delete", "pod", "web", *_IN, "--no-wait"),
            _run("raw", "DELETE", f"{_HOME}/configmaps?labelSelector=no%3Dsuch"),
            _run("delete", "pods", "-l", "app=web", *_IN, "--no-wait"),
        ),
    ),
    Step(
        "Every call as curl",
        "--curl prints what would repeat a command, -v6 to -v9 show more, --har saves it all.",
        (_run("get", "ns", NAMESPACE, "--curl"), _run("get", "ns", NAMESPACE, "-v6")),
    ),
    Step(
        "Tidy up",
        "What the tour has made goes again.",
        tuple(Command(words) for words in CLEAN_UP),
    ),
)  # fmt: skip

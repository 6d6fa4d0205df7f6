"""`kapply render`: what manifests mean, exactly as it would be sent; no server needed."""

from __future__ import annotations

from dataclasses import replace

from kapply.cli.options import (
    Color,
    Files,
    Kustomize,
    Output,
    Recursive,
    Selector,
    reject_unknown,
)
from kapply.errors import EXIT_OK


def render(
    files: Files = [],  # noqa: B006
    recursive: Recursive = False,
    kustomize: Kustomize = "",
    selector: Selector = "",
    output: Output = "yaml",
    color: Color = "auto",
) -> int:
    """Print the objects of the manifests exactly as they would be sent."""
    from kapply.cli.screen import out_line, text_report
    from kapply.cli.wiring import read_input
    from kapply.engine.events import Warned
    from kapply.meta import ref_of

    reject_unknown(output, ("yaml", "json", "name"), "-o")
    documents = read_input(
        files, recursive=recursive, kustomize=kustomize, selector=selector, twins="warn"
    )
    report = text_report(color)
    for document in documents:
        for problem in document.warnings:
            text = str(replace(problem, origin=None))
            report.warning(Warned(text, origin=problem.origin))
    for number, document in enumerate(documents):
        if output == "json":
            from kapply.manifests.tojson import to_json

            out_line(to_json(document.obj, indent=2))
        elif output == "name":
            ref = ref_of(document.obj)
            # As kubectl's name printer has it where the server makes the name.
            out_line(ref._replace(name=ref.name or "<unknown>").short)
        else:
            from kapply.manifests.emit import to_yaml

            text = to_yaml(document.obj, sort_keys=False).removesuffix("\n")
            out_line(text if number == 0 else f"---\n{text}")
    return EXIT_OK

"""Sources: files, folders, globs, standard input, URLs, kustomize and SOPS."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from kapply.errors import InputError, ManifestError, Origin, UnreachableError
from kapply.manifests import files, programs, sops, sources
from kapply.manifests.documents import ReadError
from kapply.manifests.fetch import fetch


def manifest(name: str, kind: str = "ConfigMap", version: str = "v1") -> str:
    return f"apiVersion: {version}\nkind: {kind}\nmetadata:\n  name: {name}\n"


def names(paths: list[str], *, recursive: bool = False) -> list[str]:
    documents = sources.load(paths, recursive=recursive)
    return [document.obj["metadata"]["name"] for document in documents]


def problems(paths: list[str], *, recursive: bool = False) -> list[str]:
    with pytest.raises(ReadError) as caught:
        sources.load(paths, recursive=recursive)
    return [str(problem) for problem in caught.value.problems]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "b.yaml").write_text(manifest("b"))
    (tmp_path / "a.yml").write_text(manifest("a1") + "---\n" + manifest("a2"))
    (tmp_path / "c.json").write_text(
        '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}'
    )
    (tmp_path / "README.md").write_text("not a manifest")
    (tmp_path / "az").mkdir()
    (tmp_path / "az" / "z.yaml").write_text(manifest("z"))
    return tmp_path


class TestFiles:
    def test_a_folder_in_the_order_of_names(self, folder: Path) -> None:
        assert names([str(folder)]) == ["a1", "a2", "b", "c"]
        assert names([str(folder)], recursive=True) == ["a1", "a2", "z", "b", "c"]

    def test_origins_are_as_the_user_named_them(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(folder)
        documents = sources.load([".", "./az"])
        assert str(documents[1].origin) == "./a.yml:6:1"
        assert str(documents[-1].origin) == "./az/z.yaml:1:1"

    def test_a_file_of_any_name(self, folder: Path) -> None:
        odd = folder / "manifest.txt"
        odd.write_text(manifest("odd"))
        assert names([str(odd)]) == ["odd"]

    def test_globs(self, folder: Path) -> None:
        assert names([str(folder / "*.y*ml")]) == ["a1", "a2", "b"]
        assert problems([str(folder / "x*.yaml")]) == [f"nothing matches {folder}/x*.yaml"]
        literal = folder / "[a].yaml"
        literal.write_text(manifest("literal"))
        assert names([str(literal)]) == ["literal"]

    def test_a_file_named_twice_is_read_once(self, folder: Path) -> None:
        link = folder / "link.yaml"
        link.symlink_to("b.yaml")
        assert names([str(folder), str(folder / "b.yaml"), str(link)]) == ["a1", "a2", "b", "c"]

    def test_links_to_folders_are_not_followed(self, folder: Path) -> None:
        (folder / "loop").symlink_to(folder)
        assert names([str(folder)], recursive=True) == ["a1", "a2", "z", "b", "c"]
        # The one that the user names is.
        assert names([str(folder / "loop" / "az")]) == ["z"]

    def test_missing(self, folder: Path) -> None:
        assert problems([str(folder / "bb.yaml")]) == [
            f"{folder}/bb.yaml is not there, did you mean {folder}/b.yaml?"
        ]
        assert problems([str(folder / "nowhere" / "x.yaml")]) == [
            f"{folder}/nowhere/x.yaml is not there"
        ]

    def test_nothing_in_a_folder(self, folder: Path, tmp_path: Path) -> None:
        empty = tmp_path / "empty"
        (empty / "deep").mkdir(parents=True)
        assert problems([str(empty)])[0].startswith(f"no manifests in {empty}")
        (empty / "deep" / "x.yaml").write_text(manifest("x"))
        assert "add -R" in problems([str(empty)])[0]
        assert names([str(empty)], recursive=True) == ["x"]

    def test_dangling_and_circular_links(self, folder: Path) -> None:
        (folder / "gone.yaml").symlink_to("nothing.yaml")
        (folder / "round.yaml").symlink_to("round.yaml")
        assert problems([str(folder / "gone.yaml")]) == [
            f"{folder}/gone.yaml is a link to nothing.yaml, which is not there"
        ]
        assert problems([str(folder / "round.yaml")]) == [
            f"{folder}/round.yaml is a link that leads to itself"
        ]
        assert "gone.yaml is a link to nothing.yaml" in problems([str(folder)])[0]

    def test_nothing_is_waited_on(self, folder: Path) -> None:
        fifo = folder / "fifo.yaml"
        os.mkfifo(fifo)
        assert names([str(folder)]) == ["a1", "a2", "b", "c"]
        assert problems([str(fifo)]) == [f"{fifo}:1:1  not a file, but a named pipe"]
        assert problems(["/dev/zero"]) == ["/dev/zero:1:1  not a file, but a device"]

    def test_a_descriptor_of_the_shell(self) -> None:
        reading, writing = os.pipe()
        os.write(writing, manifest("piped").encode())
        os.close(writing)
        try:
            assert names([f"/dev/fd/{reading}"]) == ["piped"]
        finally:
            os.close(reading)

    def test_too_large(self, folder: Path) -> None:
        large = folder / "large.yaml"
        with large.open("wb") as file:
            file.truncate(files.MAX_BYTES + 1)
        assert problems([str(large)]) == [f"{large}:1:1  larger than 128 MiB"]

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
    def test_not_allowed(self, folder: Path) -> None:  # pragma: no cover - not as root
        (folder / "b.yaml").chmod(0)
        assert problems([str(folder)])[0].endswith("cannot be read: permission denied")

    def test_a_path_that_cannot_be_one(self) -> None:
        assert "cannot be a path" in problems(["a\0b"])[0]
        assert "file name too long" in problems(["a" * 5000])[0]


class TestLoad:
    def test_all_problems_of_all_files(self, folder: Path) -> None:
        (folder / "b.yaml").write_text("a: [\n---\n" + manifest("b"))
        (folder / "c.json").write_text('{"kind": "A", "kind": "B"}')
        found = problems([str(folder), str(folder / "missing.yaml")])
        assert [line.split("  ")[0] for line in found[:2]] == [
            f"{folder}/b.yaml:2:1",
            f"{folder}/c.json:1:15",
        ]
        assert found[2] == f"{folder}/missing.yaml is not there"

    def test_the_same_object_twice(self, folder: Path) -> None:
        twin = folder / "d.yaml"
        twin.write_text("\n" + manifest("b"))
        assert problems([str(folder)]) == [
            f"{twin}:2:1  ConfigMap b: the same object is given twice (also {folder}/b.yaml:1:1)"
        ]

    def test_twins_may_be_shown(self, folder: Path) -> None:
        (folder / "d.yaml").write_text(manifest("b"))
        documents = sources.load([str(folder)], twins="warn")
        assert len(documents) == 5
        (warning,) = documents[-1].warnings
        assert warning.message == "the same object is given twice"
        assert warning.also == (documents[2].origin,)

    def test_the_version_does_not_count_and_the_namespace_does(self, tmp_path: Path) -> None:
        file = tmp_path / "f.yaml"
        other = manifest("a").replace("  name: a\n", "  name: a\n  namespace: x\n")
        file.write_text(
            manifest("a", "Deployment", "apps/v1")
            + "---\n"
            + manifest("a")
            + "---\n"
            + other
            + "---\n"
            + manifest("a", "Deployment", "apps/v1beta1")
        )
        (found,) = problems([str(file)])
        assert "Deployment a" in found

    def test_generated_names_are_never_twins(self, tmp_path: Path) -> None:
        file = tmp_path / "f.yaml"
        one = manifest("x").replace("name: x", "generateName: x-")
        file.write_text(f"{one}---\n{one}")
        assert len(sources.load([str(file)])) == 2

    def test_standard_input_is_read_once(self) -> None:
        reads = []

        def stdin() -> bytes:
            reads.append(1)
            return manifest("in").encode()

        documents = sources.load(["-", "-"], stdin=stdin)
        assert [str(document.origin) for document in documents] == ["stdin:1:1"]
        assert reads == [1]

    def test_urls_are_named_without_what_is_secret_in_them(self) -> None:
        fetched = []

        def get(url: str) -> bytes:
            fetched.append(url)
            return b"a: [\n"

        url = "https://me:pass@example.com/a.yaml?token=hidden#x"
        with pytest.raises(ManifestError) as caught:
            sources.load([url], fetch=get)
        assert fetched == [url]
        assert caught.value.problems[0].origin == Origin("https://example.com/a.yaml", 2, 1)

    def test_a_kustomization_is_told(self, folder: Path) -> None:
        (folder / "kustomization.yaml").write_text("resources: [b.yaml]\n")
        (found,) = problems([str(folder)])
        assert found.endswith("this is a kustomization, not a manifest, apply its folder with -k")

    def test_the_pure_parser_reads_the_same(self, folder: Path) -> None:
        pure = sources.load([str(folder)], pure=True)
        assert [d.obj for d in pure] == [d.obj for d in sources.load([str(folder)])]


class _Handler(BaseHTTPRequestHandler):
    failures = 0

    def do_GET(self) -> None:
        server: Server = self.server  # type: ignore[assignment]
        self.path = self.path.partition("?")[0]
        server.asked.append(self.path)
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/a.yaml")
            self.end_headers()
        elif self.path == "/round":
            self.send_response(302)
            self.send_header("Location", "/round")
            self.end_headers()
        elif self.path == "/file":
            self.send_response(302)
            self.send_header("Location", "file:///etc/hostname")
            self.end_headers()
        elif self.path == "/flaky" and len(server.asked) < 3:
            self.send_error(503)
        elif self.path == "/missing":
            self.send_error(404)
        elif self.path == "/broken":
            self.send_error(500)
        else:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(manifest("fetched").encode() * (100 if "large" in self.path else 1))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


class Server(ThreadingHTTPServer):
    """A web server of manifests; `asked` are the paths it was asked for."""

    asked: list[str]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server(("127.0.0.1", 0), _Handler)
    running.asked = []
    thread = threading.Thread(target=running.serve_forever)
    thread.start()
    yield running
    running.shutdown()
    thread.join()
    running.server_close()


class TestFetch:
    def test_a_url(self, server: Server) -> None:
        documents = sources.load([f"{server.url}/a.yaml"])
        assert str(documents[0].origin) == f"{server.url}/a.yaml:1:1"

    def test_redirects(self, server: Server) -> None:
        assert b"fetched" in fetch(f"{server.url}/moved")
        with pytest.raises(InputError):
            fetch(f"{server.url}/round")
        with pytest.raises((InputError, UnreachableError)):
            fetch(f"{server.url}/file")
        assert "/etc/hostname" not in server.asked

    def test_a_server_error_is_asked_again(self, server: Server) -> None:
        waits: list[float] = []
        assert b"fetched" in fetch(f"{server.url}/flaky", sleep=waits.append)
        assert waits == [1.0, 1.0]
        with pytest.raises(InputError, match="answers 500"):
            fetch(f"{server.url}/broken", sleep=waits.append)
        assert server.asked.count("/broken") == 3

    def test_other_errors_are_not(self, server: Server) -> None:
        with pytest.raises(InputError, match="answers 404"):
            fetch(f"{server.url}/missing?token=hidden")
        assert problems([f"{server.url}/missing"]) == [
            f"{server.url}/missing answers 404 Not Found"
        ]
        assert server.asked.count("/missing") == 2

    def test_limits(self, server: Server) -> None:
        with pytest.raises(InputError, match="larger than"):
            fetch(f"{server.url}/large", limit=1000)
        ticks = iter([0.0, 0.0, 99.0, 99.0])
        with pytest.raises(UnreachableError, match="timed out"):
            fetch(f"{server.url}/a", clock=lambda: next(ticks))

    def test_nobody_there(self, server: Server) -> None:
        port = server.server_port
        server.server_close()
        server.shutdown()
        with pytest.raises(UnreachableError, match="cannot be fetched"):
            fetch(f"http://127.0.0.1:{port}/a", timeout=2)

    def test_no_passwords(self) -> None:
        with pytest.raises(InputError) as caught:
            fetch("https://me:pass@example.com/a")
        assert "pass@" not in str(caught.value)

    @pytest.mark.parametrize("url", ["http://", "http://[", "http:// x/", "https://a b/"])
    def test_what_is_no_url(self, url: str) -> None:
        with pytest.raises((InputError, UnreachableError)):
            sources.load([url])


def _program(folder: Path, name: str, script: str) -> str:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


class TestKustomize:
    def test_kustomize_first_then_kubectl(self, tmp_path: Path) -> None:
        echo = 'echo "# $0 $1 $2 $3" | sed "s|/.*/||"'
        own = _program(tmp_path, "kustomize", echo)
        kubectl = _program(tmp_path, "kubectl", echo)
        both = {"kustomize": own, "kubectl": kubectl}
        assert programs.run_kustomize("d", which=both.get) == b"# kustomize build -- d\n"
        del both["kustomize"]
        assert programs.run_kustomize("d", which=both.get) == b"# kubectl kustomize -- d\n"

    def test_neither(self) -> None:
        with pytest.raises(InputError, match="neither kustomize nor kubectl") as caught:
            programs.run_kustomize("d", which=lambda _: None)
        assert "kapply -f -" in caught.value.hint

    def test_its_own_words(self, tmp_path: Path) -> None:
        bad = _program(tmp_path, "kustomize", "echo 'Error: no such file' >&2; exit 1")
        with pytest.raises(InputError, match=r"kustomize refuses d: Error: no such file"):
            programs.run_kustomize("d", which=lambda _: bad)
        with pytest.raises(InputError, match="kustomize refuses d: exit code 3"):
            programs.run_kustomize("d", which=lambda _: _program(tmp_path, "kustomize", "exit 3"))
        with pytest.raises(InputError, match="/nowhere/kustomize: No such file"):
            programs.run_kustomize("d", which=lambda _: "/nowhere/kustomize")

    def test_documents(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "out.yaml").write_text(manifest("a") + "---\n" + manifest("b"))
        _program(tmp_path, "kustomize", f"cat {tmp_path}/out.yaml")
        monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
        documents = sources.kustomize("overlay")
        assert [str(d.origin) for d in documents] == [
            "kustomize overlay:1:1",
            "kustomize overlay:6:1",
        ]
        (tmp_path / "out.yaml").write_text("")
        with pytest.raises(InputError, match="no objects"):
            sources.kustomize("overlay")


ENCRYPTED = """\
apiVersion: v1
kind: Secret
metadata:
  name: s
data:
  p: ENC[AES256_GCM,data:x,iv:x,tag:x,type:str]
sops:
  mac: ENC[AES256_GCM,data:x,iv:x,tag:x,type:str]
  version: 3.9.0
"""


class TestSops:
    def test_what_is_encrypted(self) -> None:
        assert sops.is_encrypted(ENCRYPTED.encode())
        assert sops.is_encrypted((manifest("a") + "---\n" + ENCRYPTED).encode())
        for text in (manifest("a"), "a: sops mac\n", "sops: {mac: 1}\n", "sops: [mac", ""):
            assert not sops.is_encrypted(text.encode())

    def test_no_program(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="is encrypted by SOPS") as caught:
            sops.decrypt(ENCRYPTED.encode(), "s.yaml", which=lambda _: None)
        assert "sops -d" in caught.value.hint

    def test_files_and_streams(self, tmp_path: Path) -> None:
        program = _program(tmp_path, "sops", 'echo "# $@"; cat "$7" | wc -l')
        file = tmp_path / "s.yaml"
        file.write_text(ENCRYPTED)
        shown = sops.decrypt(ENCRYPTED.encode(), "s", str(file), which=lambda _: program)
        assert shown.startswith(b"# --decrypt --input-type yaml --output-type yaml -- ")
        program = _program(tmp_path, "sops", 'echo "# $6"; cat "$6" | wc -l')
        shown = sops.decrypt(ENCRYPTED.encode(), "s", which=lambda _: program)
        assert shown.split() == [b"#", b"/dev/stdin", b"9"]

    def test_nothing_of_it_shows(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        plain = manifest("s") + "data:\n  p: hunter2\n"
        _program(tmp_path, "sops", f"cat <<'EOF'\n{plain}EOF")
        monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
        file = tmp_path / "s.enc.yaml"
        file.write_text(ENCRYPTED)
        (document,) = sources.load([str(file)])
        assert document.obj["data"] == {"p": "hunter2"}
        origin = document.locate(["data", "p"])
        assert str(origin) == f"{file} (decrypted):6:3"
        assert document.source_line(origin) == "  p: ***"

    def test_a_refusal(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        _program(tmp_path, "sops", "echo 'no key could decrypt the data' >&2; exit 128")
        monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
        file = tmp_path / "s.enc.yaml"
        file.write_text(ENCRYPTED)
        (found,) = problems([str(file)])
        assert found == f"sops cannot decrypt {file}: no key could decrypt the data"

"""The build of the test cluster's programs, with a stand-in for Go."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from tests.cluster import build
from tests.cluster.build import Assets, AssetsError, AssetsMissingError

APISERVER = "#!/bin/sh\necho Kubernetes v1.31.4\n"
# Answers `go version`; `go build -o DIR/ ...` counts itself, then makes the three programs.
GO = """#!/bin/sh
case $1 in
version) echo go version go1.99 test/test; exit 0;;
esac
echo built >>"$0.builds"
test ! -e "$0.fails" || {{ echo 'pkg/x.go:1: it does not compile' >&2; exit 1; }}
while test "$1" != -o; do shift; done
for program in kube-apiserver kube-controller-manager server; do
    printf '{apiserver}' >"$2$program"; /bin/chmod +x "$2$program"
done
"""


def program(path: Path, text: str = APISERVER) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """An environment whose only program is the stand-in for Go, and whose cache is empty."""
    program(tmp_path / "bin" / "go", GO.format(apiserver=APISERVER.replace("\n", "\\n")))
    return {"PATH": str(tmp_path / "bin"), "KAPPLY_TEST_CACHE": str(tmp_path / "cache")}


def builds(tmp_path: Path) -> int:
    counted = tmp_path / "bin" / "go.builds"
    return len(counted.read_text().splitlines()) if counted.exists() else 0


@pytest.mark.parametrize(
    "go_mod",
    [
        "require k8s.io/kubernetes v1.37.2\n",
        "require (\n\tk8s.io/kubernetes v1.37.2 // indirect\n)",
    ],
)
def test_version_of_go_mod(go_mod: str) -> None:
    assert build.kubernetes_version(f"module x\n\n{go_mod}") == "v1.37.2"


def test_a_go_mod_without_kubernetes_is_an_error() -> None:
    with pytest.raises(AssetsError, match="does not require"):
        build.kubernetes_version("module x\nrequire k8s.io/kubernetes-other v1.2.3\n")


def test_link_flags_stamp_the_version() -> None:
    flags = build.link_flags("v1.37.2").split()
    assert flags[:2] == ["-s", "-w"]
    assert "k8s.io/component-base/version.gitVersion=v1.37.2" in flags
    assert "k8s.io/component-base/version.gitMajor=1" in flags
    assert "k8s.io/client-go/pkg/version.gitMinor=37" in flags


def test_the_digest_hangs_on_each_part_and_on_where_it_ends() -> None:
    digests = {
        build.sources_digest(*parts)
        for parts in [("a", "b", "c"), ("ab", "", "c"), ("a", "bc", ""), ("a", "b", "d")]
    }
    assert len(digests) == 4
    assert len({build.folder_name("s", "go1.1"), build.folder_name("s", "go1.2")}) == 2


@pytest.mark.parametrize(
    ("environ", "root"),
    [
        ({"KAPPLY_TEST_CACHE": "/c", "XDG_CACHE_HOME": "/x"}, Path("/c")),
        ({"XDG_CACHE_HOME": "/x"}, Path("/x")),
        ({"XDG_CACHE_HOME": "relative"}, Path.home() / ".cache"),
        ({}, Path.home() / ".cache"),
    ],
)
def test_cache_root(environ: dict[str, str], root: Path) -> None:
    assert build.cache_root(environ) == root / "kapply-test" / "assets"


def test_ready_programs_are_taken_as_they_are(tmp_path: Path) -> None:
    folder = tmp_path / "envtest"
    for name in ("kube-apiserver", "etcd", "kubectl"):
        program(folder / name)
    assert build.find_assets({"KAPPLY_TEST_ASSETS": str(folder)}) == Assets(
        kube_apiserver=folder / "kube-apiserver",
        etcd=folder / "etcd",
        kube_controller_manager=None,
        kubectl=folder / "kubectl",
        version="1.31.4",
    )
    assert build.assets_in(folder).minor == 31


def test_missing_programs_are_named(tmp_path: Path) -> None:
    with pytest.raises(AssetsError, match="no executable kube-apiserver and etcd"):
        build.find_assets({"KAPPLY_TEST_ASSETS": str(tmp_path)})
    program(tmp_path / "kube-apiserver")
    (tmp_path / "etcd").touch(0o644)
    with pytest.raises(AssetsError, match="no executable etcd"):
        build.find_assets({"KAPPLY_TEST_ASSETS": str(tmp_path)})


def test_a_program_that_is_no_apiserver_is_said(tmp_path: Path) -> None:
    program(tmp_path / "etcd")
    program(tmp_path / "kube-apiserver", "#!/bin/sh\necho what >&2; exit 3\n")
    with pytest.raises(AssetsError, match="--version: 'what'"):
        build.assets_in(tmp_path)


def test_without_go_it_says_what_to_do(tmp_path: Path) -> None:
    environ = {"PATH": str(tmp_path), "KAPPLY_TEST_CACHE": str(tmp_path)}
    with pytest.raises(AssetsMissingError, match=r"install Go .*KAPPLY_TEST_ASSETS"):
        build.find_assets(environ)


def test_it_builds_once(
    environ: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = build.find_assets(environ)
    assert "takes about 12 minutes" in capsys.readouterr().err
    assert first.version == "1.31.4"
    assert first.kube_controller_manager is not None
    assert first.etcd.parent.parent == tmp_path / "cache" / "kapply-test" / "assets"
    facts = json.loads((first.etcd.parent / "build.json").read_text())
    assert facts["go"] == "go version go1.99 test/test"
    assert build.find_assets(environ) == first
    assert builds(tmp_path) == 1
    # A machine without Go takes what an earlier Go has built.
    assert build.find_assets({**environ, "PATH": str(tmp_path)}) == first


def test_a_look_does_not_build(environ: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(AssetsMissingError):
        build.find_assets(environ, build=False)
    assert builds(tmp_path) == 0


def test_a_failed_build_shows_why_and_leaves_nothing(
    environ: dict[str, str], tmp_path: Path
) -> None:
    fails = tmp_path / "bin" / "go.fails"
    fails.touch()
    with pytest.raises(AssetsError, match="it does not compile"):
        build.find_assets(environ)
    root = build.cache_root(environ)
    assert [path.name for path in root.iterdir()] == ["build.lock"]
    # Nor does what a killed build has left stand in the way.
    (root / ".building-stale").mkdir()
    fails.unlink()
    found = build.find_assets(environ)
    assert {path.name for path in root.iterdir()} == {found.etcd.parent.name, "build.lock"}


def test_two_at_once_build_once(environ: dict[str, str], tmp_path: Path) -> None:
    found: list[Assets] = []
    threads = [
        threading.Thread(target=lambda: found.append(build.find_assets(environ))) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(found) == 3
    assert builds(tmp_path) == 1

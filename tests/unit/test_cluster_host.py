"""What the test cluster takes from the machine, and the files it writes."""

from __future__ import annotations

import socket
import stat
from contextlib import closing
from pathlib import Path

import pytest
import yaml

from tests.cluster.host import LONGEST_FOLDER, PortError, accepts, hold_port, temporary_folder
from tests.cluster.layout import Layout


def test_a_held_port_refuses_until_its_server_listens_beside() -> None:
    with closing(hold_port()) as held:
        address = held.getsockname()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address)
        with closing(socket.socket()) as server:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            server.bind(address)
            server.listen()
            for _ in range(8):  # never the one that only holds the port
                socket.create_connection(address, 5).close()


def test_a_port_is_held_once() -> None:
    with (
        closing(hold_port()) as held,
        pytest.raises(PortError, match=r"port \d+: Address already in use"),
    ):
        hold_port(held.getsockname()[1])


def test_a_port_that_is_none() -> None:
    with pytest.raises(PortError, match=r"port 70000: .*0-65535"):
        hold_port(70000)


def test_the_folder_leaves_room_for_a_socket(tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 100)
    deep.mkdir()
    folder = temporary_folder(deep)
    try:
        assert len(str(folder)) <= LONGEST_FOLDER
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert list(deep.iterdir()) == []
        with closing(socket.socket(socket.AF_UNIX)) as server:
            server.bind(str(folder / "etcd.sock"))
            server.listen()
            assert accepts(folder / "etcd.sock")
        (folder / "etcd.sock").unlink()
    finally:
        folder.rmdir()


def test_secrets_are_their_owners_alone(tmp_path: Path) -> None:
    layout = Layout(tmp_path, "https://127.0.0.1:1")
    secret = [*tmp_path.glob("*.key"), *tmp_path.glob("*.kubeconfig"), tmp_path / "tokens.csv"]
    assert len(secret) >= 10
    assert {stat.S_IMODE(path.stat().st_mode) for path in secret} == {0o600}
    tokens = (tmp_path / "tokens.csv").read_text()
    assert f'{layout.user_token},jane,2,"developers"' in tokens
    config = yaml.safe_load(layout.kubeconfig_token.read_text())
    assert config["users"][0]["user"]["token"] == layout.admin_token
    assert layout.admin_token != layout.user_token

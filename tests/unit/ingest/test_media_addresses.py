"""Which addresses a worker may read media from."""

from __future__ import annotations

import pytest

from airflow_provider_diffgram.ingest.read.addresses import is_loopback, why_refused

METADATA = "is where clouds keep credentials of the machine"
OWN = "is the worker's own machine"
NOWHERE = "is not the address of a host"


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "169.254.170.2",
        "fe80::1",
        "fe80::1%eth0",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "2002:a9fe:a9fe::",
        "::169.254.169.254",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "fd00:ec2::254",
    ],
)
@pytest.mark.parametrize("loopback", [True, False])
def test_metadata_of_clouds_is_refused_wherever_diffgram_is(address: str, loopback: bool):
    assert why_refused(address, loopback=loopback) == METADATA


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::"]
)
def test_the_own_machine_is_refused_unless_diffgram_is_there(address: str):
    assert is_loopback(address)
    assert why_refused(address, loopback=False) == OWN
    assert why_refused(address, loopback=True) is None


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "224.0.0.1", "ff02::1", "255.255.255.255", "240.0.0.1"])
def test_what_is_no_machine_is_refused(address: str):
    assert why_refused(address, loopback=True) == NOWHERE
    assert not is_loopback(address)


@pytest.mark.parametrize(
    "address",
    ["10.0.0.1", "192.168.1.1", "172.16.0.1", "8.8.8.8", "fd12::1", "2606:4700::1", "64:ff9b::808:808"],
)
def test_machines_of_public_and_private_networks_are_read(address: str):
    assert why_refused(address, loopback=False) is None

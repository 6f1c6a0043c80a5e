import pytest

from annotate.address import client_address, network_of, networks

PROXY = ["10.0.0.1", "fd00::/8"]


@pytest.mark.parametrize(
    ("peer", "forwarded", "trusted", "client"),
    [
        ("203.0.113.9", "", [], "203.0.113.9"),
        ("203.0.113.9", "198.51.100.1", [], "203.0.113.9"),  # nobody is trusted: the header is anybody's
        ("203.0.113.9", "198.51.100.1", PROXY, "203.0.113.9"),  # nor is this peer
        ("10.0.0.1", "198.51.100.1", PROXY, "198.51.100.1"),
        ("10.0.0.1", "1.1.1.1, 198.51.100.1", PROXY, "198.51.100.1"),  # what the client wrote stands in front
        ("10.0.0.1", "1.1.1.1, 198.51.100.1, fd00::7", PROXY, "198.51.100.1"),  # two proxies in a row
        ("10.0.0.1", "", PROXY, "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1, rubbish", PROXY, "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1, ", PROXY, "10.0.0.1"),
        ("fd00::1", "2001:db8::5", PROXY, "2001:db8::5"),
        ("", "198.51.100.1", PROXY, "unix"),
        ("", "198.51.100.1", ["unix"], "198.51.100.1"),
        ("198.51.100.1", "unix", ["0.0.0.0/0"], "198.51.100.1"),
    ],
)
def test_a_proxy_is_believed_only_if_it_is_trusted(peer, forwarded, trusted, client):
    assert client_address(peer, forwarded, trusted) == client


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("198.51.100.1", "198.51.100.1"),
        ("::ffff:198.51.100.1", "198.51.100.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("unix", "unix"),
    ],
)
def test_an_ipv6_client_is_its_whole_network(address, network):
    assert network_of(address) == network


def test_what_is_no_network_is_refused():
    assert len(networks(("10.0.0.1", "unix"))) == 1
    with pytest.raises(ValueError, match="nginx"):
        networks(("nginx",))

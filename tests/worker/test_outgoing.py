"""The one way out: to public addresses alone, whatever a name, a redirect or a spelling says."""

import socket
import ssl

import pytest

from tests.worker.receiver import NAME, receiving
from worker import outgoing
from worker.outgoing import Refused, is_public, post, resolve, target_of

PUBLIC = ["93.184.216.34", "8.8.8.8", "2606:4700::1111"]
PRIVATE = [
    *("127.0.0.1", "127.9.9.9", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1"),
    *("192.0.0.1", "192.0.2.1", "198.18.0.1", "198.51.100.7", "203.0.113.7", "224.0.0.1", "240.0.0.1"),
    *("255.255.255.255", "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "ff02::1", "2001:db8::1"),
    *("::ffff:127.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::1"),
    *("2002:7f00:1::", "2002:808:808::", "2001:0:7f00:1::", "100::1", "not an address", ""),
]


@pytest.mark.parametrize("address", PUBLIC)
def test_anybody_reaches_a_public_address(address):
    assert is_public(address)


@pytest.mark.parametrize("address", PRIVATE)
def test_every_other_address_is_private(address):
    assert not is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        *("http://example.org/", "ftp://example.org/", "file:///etc/passwd", "gopher://example.org", "//example.org/"),
        *("https://", "https:///path", "javascript:alert(1)", "", "example.org", "https://[::1", "https://a:b:c/"),
        *("https://user@example.org/", "https://user:secret@example.org/", "https://example.org#@10.0.0.1/"),
        *(
            "https://example.org\\@127.0.0.1/",
            "https://example.org/ x",
            "https://example.org/\r\nHost: a",
            "https://é.fr",
        ),
        *("https://example.org:22/", "https://example.org:80/", "https://example.org:99999/", "https://e.org:0/"),
        *("https://127.0.0.1/", "https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://169.254.169.254/latest"),
        *("https://[64:ff9b::7f00:1]/", "https://10.0.0.1:8443/", f"https://example.org/{'x' * 500}"),
    ],
)
def test_what_may_not_be_sent_to_is_refused_without_asking_anybody(url, monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", None)
    with pytest.raises(Refused):
        target_of(url)


def test_an_address_keeps_its_name_port_and_query():
    target = target_of("https://Example.org:8443/hook?a=1&b=2")
    assert (target.host, target.port, target.path) == ("example.org", 8443, "/hook?a=1&b=2")
    assert target.name == "example.org:8443"
    assert target_of("https://example.org").path == "/"
    assert target_of("https://[2606:4700::1111]/").name == "[2606:4700::1111]"


@pytest.mark.parametrize("host", ["0x7f.1", "2130706433", "0177.0.0.1", "127.1", "0x7f000001", "0"])
def test_other_spellings_of_this_machine_are_refused_where_they_are_resolved(host):
    with pytest.raises(Refused):
        resolve(target_of(f"https://{host}/"))


def answers(*each):
    """A resolver that gives the first answer first, and the last one ever after."""
    left = list(each)

    def getaddrinfo(host, port, *_, **__):
        now = left.pop(0) if len(left) > 1 else left[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in now]

    return getaddrinfo


def test_a_name_with_one_private_address_among_public_ones_is_refused(monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", answers(["8.8.8.8", "10.0.0.1"]))
    with pytest.raises(Refused):
        resolve(target_of("https://example.org/"))


def test_a_name_that_points_elsewhere_a_moment_later_changes_nothing(monkeypatch):
    """DNS rebinding: it is asked once, and the connection goes to the number that was looked at."""
    reached = []

    def connect(self, address):
        reached.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", answers(["8.8.8.8"], ["127.0.0.1"]))
    monkeypatch.setattr(socket.socket, "connect", connect)
    with pytest.raises(ConnectionRefusedError):
        post("https://example.org/", b"{}", {})
    assert reached == [("8.8.8.8", 443)]
    with pytest.raises(Refused):  # the next message asks again, and is refused
        post("https://example.org/", b"{}", {})
    assert len(reached) == 1


def test_the_next_address_is_tried_where_the_first_does_not_answer(monkeypatch):
    reached = []

    def connect(self, address):
        reached.append(address[0])
        raise TimeoutError

    monkeypatch.setattr(socket, "getaddrinfo", answers(["8.8.8.8", "8.8.4.4"]))
    monkeypatch.setattr(socket.socket, "connect", connect)
    with pytest.raises(TimeoutError):
        post("https://example.org/", b"{}", {})
    assert reached == ["8.8.8.8", "8.8.4.4"]


def test_of_sixty_addresses_few_are_tried(monkeypatch):
    """Or one name would hold a worker for minutes, longer than its claim of the message lasts."""
    reached = []

    def connect(self, address):
        reached.append((address[0], self.gettimeout()))
        raise TimeoutError

    monkeypatch.setattr(socket, "getaddrinfo", answers([f"8.8.8.{n}" for n in range(60)]))
    monkeypatch.setattr(socket.socket, "connect", connect)
    with pytest.raises(TimeoutError):
        post("https://example.org/", b"{}", {})
    assert [address for address, _ in reached] == ["8.8.8.0", "8.8.8.1"]
    assert sum(seconds for _, seconds in reached) < outgoing.WHOLE_SECONDS


@pytest.fixture
def receiver(tmp_path, monkeypatch):
    """Reached under its public name; the guard is replaced here and nowhere else."""
    with receiving(tmp_path) as server:
        monkeypatch.setattr(outgoing, "resolve", lambda target: [(socket.AF_INET, server.server_address)])
        monkeypatch.setattr(outgoing, "tls", lambda: ssl.create_default_context(cafile=server.pem))
        yield server


def test_a_message_arrives_with_the_name_it_was_sent_to(receiver, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    assert post(f"https://{NAME}/hook?a=1", b'{"a": 1}', {"webhook-id": "event-1"}) == 200
    ((path, headers, body),) = receiver.got
    assert (path, headers["Host"], headers["webhook-id"], body) == ("/hook?a=1", NAME, "event-1", b'{"a": 1}')


def test_a_certificate_for_another_name_is_refused(receiver):
    with pytest.raises(ssl.SSLCertVerificationError) as error:
        post("https://other.example.org/", b"{}", {})
    assert outgoing.words(error.value) == "The certificate is not valid for this name."
    assert not receiver.got


def test_a_certificate_that_nobody_vouches_for_is_refused(receiver, monkeypatch):
    monkeypatch.setattr(outgoing, "tls", ssl.create_default_context)
    with pytest.raises(ssl.SSLCertVerificationError):
        post(f"https://{NAME}/", b"{}", {})


def test_a_redirect_is_an_answer_and_is_not_followed(receiver):
    receiver.answers.append((307, {"Location": "http://127.0.0.1:80/"}))
    assert post(f"https://{NAME}/", b"{}", {}) == 307
    assert len(receiver.got) == 1


def test_an_answer_by_the_drop_is_ended(receiver, monkeypatch):
    monkeypatch.setattr(outgoing, "WHOLE_SECONDS", 0.2)
    receiver.answers.append("drop by drop")
    with pytest.raises(outgoing.FAILURES):
        post(f"https://{NAME}/", b"{}", {})


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (socket.gaierror(8, "Name or service not known"), "The name is not known."),
        (ssl.SSLError(1, "WRONG_VERSION_NUMBER"), "No TLS there."),
        (TimeoutError("timed out"), "No answer in time."),
        (ConnectionRefusedError(111, "Connection refused"), "Nobody listens there."),
        (ConnectionResetError(104, "Connection reset"), "The connection broke."),
        (UnicodeError("label too long"), "The connection broke."),
    ],
)
def test_a_failure_is_told_in_words_of_ours(error, told):
    assert isinstance(error, outgoing.FAILURES)
    assert outgoing.words(error) == told

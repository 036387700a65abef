"""Media by URL that the worker reads: real sockets, and servers that do not behave."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_diffgram.client import Settings, StoppedError
from airflow_provider_diffgram.client.clock import Clock, StoppableClock
from airflow_provider_diffgram.ingest.read.remote import Remote, UnreadableError, _ShutHosts
from tests.unit.client.certificates import Certificates, make_certificates
from tests.unit.client.small_proxy import proxying

MIB = 2**20
Answer = Callable[[BaseHTTPRequestHandler], None]


class Site:
    """A server on a free port, whose answers are functions by path; and what it was asked."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.base = f"http://127.0.0.1:{port}"
        self.answers: dict[str, Answer] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []


@contextmanager
def site(tls: ssl.SSLContext | None = None) -> Iterator[Site]:
    http = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    served = Site(http.server_port)
    if tls is not None:
        http.socket = tls.wrap_socket(http.socket, server_side=True)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            served.asked.append((self.path, dict(self.headers.items())))
            served.answers[self.path.partition("?")[0]](self)

        def log_message(self, *_: Any) -> None:
            pass

    http.RequestHandlerClass = Handler
    http.daemon_threads = True
    thread = threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield served
    finally:
        http.shutdown()
        http.server_close()
        thread.join()


@pytest.fixture
def served() -> Iterator[Site]:
    with site() as found:
        yield found


def says(content: bytes = b"picture", status: int = 200, **headers: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in ({"Content_Length": str(len(content))} | headers).items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(content)
        if headers.get("Connection") == "close":
            handler.close_connection = True

    return answer


def moves_to(where: str) -> Answer:
    return says(b"", 302, Location=where)


def remote(
    host: str = "http://127.0.0.1:1",
    *,
    seconds: float = 20.0,
    patience: float | None = 0.0,
    **settings: Any,
) -> Remote:
    timeouts = {"connect_timeout": 2.0, "read_timeout": 2.0} | settings
    own = Settings(host, "p", "ID", "SECRET", **timeouts)
    return Remote(own, Clock(), most=MIB, seconds=seconds, patience=patience)


def reason(url: str, reader: Remote | None = None) -> str:
    with pytest.raises(UnreadableError) as caught:
        (reader or remote()).read(url)
    return caught.value.reason


def test_a_medium_is_read_whole_and_can_be_read_again(served: Site):
    content = bytes(range(256)) * 2000
    served.answers["/a.jpg"] = says(content)
    medium = remote().read(f"{served.base}/a.jpg")
    upload = medium.upload("a.jpg")
    assert (upload.filename, upload.size) == ("a.jpg", len(content))
    for _ in range(2):
        view = upload.open()
        assert view.read() == content
        view.close()
    medium.close()
    with pytest.raises(ValueError, match="closed"):
        upload.open()


def test_pieces_of_unknown_number_are_read(served: Site):
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        handler.wfile.write(b"3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n")

    served.answers["/a.jpg"] = answer
    assert remote().read(f"{served.base}/a.jpg").view().read() == b"abcdefg"


def test_nothing_that_the_worker_has_is_passed_on(
    served: Site, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password SECRET-OF-NETRC\n")
    monkeypatch.setenv("NETRC", str(netrc))
    served.answers["/a.jpg"] = says(Set_Cookie="session=1; Path=/")
    reader = remote(served.base)
    for _ in range(2):
        reader.read(f"{served.base}/a.jpg")
    assert len(served.asked) == 2
    for _, headers in served.asked:
        assert set(headers) == {"Host", "User-Agent", "Accept", "Accept-Encoding"}


def test_a_credential_in_the_url_goes_to_its_own_host_alone(served: Site):
    with site() as other:
        served.answers["/a.jpg"] = moves_to(f"{other.base}/b.jpg")
        other.answers["/b.jpg"] = says()
        remote().read(f"http://me:word@127.0.0.1:{served.port}/a.jpg")
        assert served.asked[0][1]["Authorization"] == "Basic bWU6d29yZA=="
        assert "Authorization" not in other.asked[0][1]


@pytest.mark.parametrize("status", [401, 403, 404, 410, 500, 503])
def test_an_answer_other_than_200_is_told(served: Site, status: int):
    served.answers["/a.jpg"] = says(b"no", status)
    assert reason(f"{served.base}/a.jpg") == f"HTTP {status}"


@pytest.mark.parametrize("status", [503, 429])
def test_what_may_pass_is_tried_again(served: Site, status: int):
    answers = iter([says(b"", status), says(b"", status), says()])
    served.answers["/a.jpg"] = lambda handler: next(answers)(handler)
    assert remote(patience=10).read(f"{served.base}/a.jpg").size == len(b"picture")


def test_what_stays_is_not_tried_again(served: Site):
    served.answers["/a.jpg"] = says(b"", 404)
    assert reason(f"{served.base}/a.jpg", remote(patience=10)) == "HTTP 404"
    assert len(served.asked) == 1


@pytest.mark.parametrize(
    "answer, told",
    [
        (says(b""), "is empty"),
        (says(b"abc", Content_Length="9", Connection="close"), "was cut while it was read"),
        (says(bytes(MIB + 1)), "larger than 1 MiB"),
        (says(b"", Content_Length=str(10**12), Connection="close"), "larger than 1 MiB"),
        (moves_to("file:///etc/passwd"), "redirects to something other than http(s)"),
        (moves_to("ftp://127.0.0.1/a.jpg"), "redirects to something other than http(s)"),
        (moves_to("/a.jpg"), "redirects more than 5 times"),
        (moves_to("http://169.254.169.254/latest/meta-data"), "169.254.169.254 is where clouds keep"),
        (moves_to("http://[::ffff:169.254.169.254]/"), "is where clouds keep"),
        (moves_to("http://0.0.0.0/"), "is not the address of a host"),
    ],
)
def test_what_is_no_medium_is_told(served: Site, answer: Answer, told: str):
    served.answers["/a.jpg"] = answer
    assert told in reason(f"{served.base}/a.jpg")


def test_what_does_not_tell_its_end_is_not_taken_for_whole(served: Site):
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        handler.wfile.write(b"picture")
        handler.close_connection = True

    served.answers["/a.jpg"] = answer
    assert reason(f"{served.base}/a.jpg") == "its server does not say how long it is"


def test_an_endless_answer_ends_at_the_limit(served: Site):
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        try:
            while True:
                handler.wfile.write(b"10000\r\n" + bytes(0x10000) + b"\r\n")
        except OSError:
            handler.close_connection = True

    served.answers["/a.jpg"] = answer
    assert reason(f"{served.base}/a.jpg") == "larger than 1 MiB"


@pytest.mark.parametrize("part", ["head", "body"])
def test_an_answer_that_drips_ends_in_time(served: Site, part: str):
    ended = threading.Event()

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        if part == "body":
            handler.send_header("Content-Length", "1000")
            handler.end_headers()
        else:
            handler.flush_headers()
        drop = b"x" if part == "body" else b"X-Drop: 1\r\n"
        while not ended.wait(0.02):
            try:
                handler.wfile.write(drop)
            except OSError:
                break
        handler.close_connection = True

    served.answers["/a.jpg"] = answer
    assert reason(f"{served.base}/a.jpg", remote(seconds=0.3)) == "took more than 0 s"
    ended.set()


def test_the_own_machine_is_refused_unless_diffgram_is_there(served: Site):
    served.answers["/a.jpg"] = says()
    elsewhere = remote("http://192.0.2.1")
    for host in ("127.0.0.1", "localhost", "2130706433", "0x7f000001"):
        told = reason(f"http://{host}:{served.port}/a.jpg", elsewhere)
        assert told == f"{host} is the worker's own machine"
    assert served.asked == []
    assert remote(served.base).read(f"{served.base}/a.jpg").size


def test_a_name_that_changes_its_address_leads_nowhere(served: Site, monkeypatch: pytest.MonkeyPatch):
    """The name is outside when it is checked, and the machine itself whenever it is asked for again."""
    served.answers["/a.jpg"] = says()
    real, asked = socket.getaddrinfo, []

    def resolver(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        if host != "media.example":
            return real(host, port, *args, **kwargs)
        asked.append(host)
        return real("192.0.2.1" if len(asked) == 1 else "127.0.0.1", port, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", resolver)
    reader = remote("http://192.0.2.2", connect_timeout=0.2)
    assert reason(f"http://media.example:{served.port}/a.jpg", reader) == "no connection to its host"
    assert (asked, served.asked) == (["media.example"], [])


def test_of_several_addresses_only_those_allowed_are_tried(served: Site, monkeypatch: pytest.MonkeyPatch):
    served.answers["/a.jpg"] = says()
    real = socket.getaddrinfo

    def resolver(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        if host != "media.example":
            return real(host, port, *args, **kwargs)
        hosts = ("169.254.169.254", "127.0.0.9", "127.0.0.1")
        return [found for each in hosts for found in real(each, port, *args, **kwargs)]

    monkeypatch.setattr(socket, "getaddrinfo", resolver)
    assert remote().read(f"http://media.example:{served.port}/a.jpg").size
    assert served.asked[0][1]["Host"] == f"media.example:{served.port}"


@pytest.mark.parametrize("patience", [None, 0.5])
def test_a_host_without_a_connection_is_not_asked_again(patience: float | None):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/a.jpg"
    reader = remote(patience=patience)
    assert reason(url, reader) == "no connection to its host"
    resolved = socket.getaddrinfo
    try:
        socket.getaddrinfo = pytest.fail  # type: ignore[assignment]
        assert reason(url, reader) == "no connection to its host"
    finally:
        socket.getaddrinfo = resolved


def test_a_host_is_tried_again_by_one_reader_a_minute_and_not_at_all_if_it_is_refused():
    hosts = _ShutHosts()
    assert hosts.error("h", 0.0) is None
    hosts.add(UnreadableError("no connection to its host", may_pass=True, everywhere=True, host="h"), 0.0)
    hosts.add(UnreadableError("is not the address of a host", everywhere=True, host="refused"), 0.0)
    assert [str(hosts.error("h", at)) for at in (1.0, 59.0)] == ["no connection to its host"] * 2
    assert hosts.error("h", 60.0) is None
    assert [str(hosts.error("h", at)) for at in (60.0, 119.0)] == ["no connection to its host"] * 2
    assert str(hosts.error("refused", 10**9)) == "is not the address of a host"
    assert hosts.error("another", 1.0) is None


def test_a_host_that_leads_to_one_that_is_away_is_asked_on(served: Site):
    served.answers["/a.jpg"] = moves_to("http://127.0.0.1:1/a.jpg")
    served.answers["/b.jpg"] = says()
    reader = remote(patience=None)
    for _ in range(2):
        assert reason(f"{served.base}/a.jpg", reader) == "no connection to its host"
    assert reader.read(f"{served.base}/b.jpg").size


@pytest.mark.parametrize("patience", [None, 5.0])
def test_a_connection_that_broke_is_worth_another_try(served: Site, patience: float | None):
    cut = says(b"abc", Content_Length="9", Connection="close")
    answers = iter([cut, cut, says()])
    served.answers["/a.jpg"] = lambda handler: next(answers)(handler)
    assert remote(patience=patience).read(f"{served.base}/a.jpg").size == len(b"picture")


def test_a_push_that_is_to_end_does_not_wait_for_a_medium(served: Site):
    stop = threading.Event()

    def answer(handler: BaseHTTPRequestHandler) -> None:
        stop.set()
        says(bytes(MIB // 2))(handler)

    served.answers["/a.jpg"] = answer
    settings = Settings("http://127.0.0.1:1", "p", "ID", "SECRET")
    reader = Remote(settings, StoppableClock(Clock(), stop), most=MIB, seconds=20, patience=0)
    with pytest.raises(StoppedError):
        reader.read(f"{served.base}/a.jpg")


def test_a_proxy_gets_what_only_it_can_resolve_and_no_address_of_a_cloud(served: Site):
    served.answers["http://media.invalid/a.jpg"] = says()
    reader = remote("http://192.0.2.1", proxy=served.base)
    assert reader.read("http://media.invalid/a.jpg").size
    assert [path for path, _ in served.asked] == ["http://media.invalid/a.jpg"]
    for url in ("http://169.254.169.254/latest", "http://127.0.0.1/a.jpg"):
        assert reason(url, reader)
    assert len(served.asked) == 1


def test_no_proxy_names_what_is_read_without_it(served: Site, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    served.answers["/a.jpg"] = says()
    assert remote(proxy="http://127.0.0.1:1").read(f"{served.base}/a.jpg").size


def test_a_proxy_that_is_away_is_told(served: Site):
    told = reason("http://media.invalid/a.jpg", remote("http://192.0.2.1", proxy="http://127.0.0.1:1"))
    assert told == "no connection to its host"


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    return make_certificates(tmp_path)


@pytest.fixture
def over_tls(certificates: Certificates) -> Iterator[Site]:
    with site(certificates.server_context()) as found:
        found.answers["/a.jpg"] = says()
        yield found


def test_the_authorities_of_the_connection_are_trusted_and_the_name_is_compared(
    over_tls: Site, certificates: Certificates
):
    """The address that was checked is connected to, but the certificate must be that of the name."""
    url = f"https://127.0.0.1:{over_tls.port}/a.jpg"
    assert reason(url) == "no trusted TLS with its host"
    trusting = remote(verify=str(certificates.authority))
    assert trusting.read(url).size
    told = reason(f"https://localhost:{over_tls.port}/a.jpg", trusting)
    assert told == "no trusted TLS with its host", "it is a certificate of 127.0.0.1 alone"


def test_certificates_go_unchecked_only_where_diffgram_itself_is(over_tls: Site):
    own = remote("https://localhost:1", verify=False)
    assert own.read(f"https://localhost:{over_tls.port}/a.jpg").size
    assert reason(f"https://127.0.0.1:{over_tls.port}/a.jpg", own) == "no trusted TLS with its host"


def test_a_tunnel_through_a_proxy_leads_to_the_certificate_of_the_name(
    over_tls: Site, certificates: Certificates
):
    """Diffgram is on this machine, so that its address may be read from; the proxy gets no credential."""
    with proxying() as (proxy, asked):
        reader = remote("http://127.0.0.1:1", proxy=proxy, verify=str(certificates.authority))
        assert reader.read(f"https://127.0.0.1:{over_tls.port}/a.jpg").size
        told = reason(f"https://localhost:{over_tls.port}/a.jpg", reader)
    assert told == "no trusted TLS with its host"
    assert asked == [f"CONNECT {host}:{over_tls.port}" for host in ("127.0.0.1", "localhost")]
    assert set(over_tls.asked[0][1]) == {"Host", "User-Agent", "Accept", "Accept-Encoding"}


def test_a_proxy_that_refuses_is_told():
    with proxying(refusing=True) as (proxy, _):
        reader = remote("http://192.0.2.1", proxy=proxy)
        assert reason("http://media.invalid/a.jpg", reader) == "HTTP 407"
        assert reason("https://media.invalid/a.jpg", reader) == "no connection to its host"

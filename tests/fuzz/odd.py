# ruff: noqa: E501
"""Values that no page of ours sends, types that no browser gives its forms, and addresses and origins of no socket."""

FORM, JSON, EDGE = "application/x-www-form-urlencoded", "application/json", "odd-edge"
PARTS = f"multipart/form-data; boundary={EDGE}"
TEXTS = (
    "", " ", "\x00", "a\x00b", "\ud800", "\udfff x", "x" * 100_000, "🙂" * 300, "\u202e", "\r\n\r\nSet-Cookie: a=b", "\x1b[2J",
    "0", "-1", "-0", "1.5", "1e3", "1e999", "-1e999", "NaN", "Infinity", "0x1f", "1_000", "٣", "²", "9" * 5000,
    "32768", "2147483647", "2147483648", "-2147483649", "9223372036854775807", "9223372036854775808", "1" + "0" * 30,
    "true", "None", "null", "on", "{}", "[]", "[null]", '{"a": [null]}', '"\\ud800"', '{"a": "\\u0000"}', "{", "[" * 10_000,
    '{"type": {"type": []}}', "__class__", "__proto__", "constructor", "self", "pk", "id__in", "project__slug",
    "2026-02-30", "0000-00-00", "9999-12-31T23:59:59.999999+14:00", "0001-01-01", "2026-01-01T00:00", "24:00",
    "../../etc/passwd", "/dev/null", "a/b\\c", "CON", "%00", "%", "%s%n", "{{ 7 }}", "{x.__class__}", "<script>alert(1)</script>",
    "http://[", "http://[::1", "https://user@:99999/", "javascript:alert(1)", "https://xn--/", "//evil.example", "a@b", "' OR 1=1 --",
    "1,2,3,,", ",", "a,a", "1 2 3", "name:", "name:\x00", "user:9223372036854775808", "user:-1", "train", "admin", "heads",
)  # fmt: skip
TYPES = (
    "text/plain", "application/xml", "", "application/x-www-form-urlencoded; charset=utf-7", "multipart/form-data", JSON,
    "multipart/form-data; boundary=", "multipart/form-data; boundary=\x00", f"multipart/mixed; boundary={EDGE}", "x" * 9000,
    "application/x-www-form-urlencoded; charset=none-such", "application/json; charset=utf-16", f"{PARTS}; charset=rot13",
)  # fmt: skip
RAW = (
    b"%",
    b"%f",
    b"%ff%fe",
    b"%u0000",
    b"&&&==",
    b"=",
    b"\xff\xfe",
    b"a" * 3000 + b"=1",
    b"&".join(b"n%d=1" % n for n in range(1500)),
)
ORIGINS = (
    b"", b"null", b"https://evil.example", b"http://[", b"http://[::1", b"http://localhost:99999", b"http://localhost:x", b"//",
    b"http://localhost.evil.example", b"http://evil.example#localhost", b"\xff\xfe", b"http://" + b"x" * 9000, b"file://", b"localhost",
)  # fmt: skip
PATHS = (
    "/", "/ws/", "/ws/jobs/", "/ws/jobs/x/", "/ws/jobs/-1/", "/ws/jobs/{pk}", "/ws/jobs/{pk}/more/", "/ws/jobs/0/", "/ws/jobs/1e3/",
    "/ws/jobs/9223372036854775808/", "/ws/jobs/" + "9" * 4000 + "/", "/ws/jobs/{pk}%00/", "/ws/jobs/%F0%9F%99%82/", "//ws/jobs/{pk}/",
    "/ws/jobs/../jobs/{pk}/", "/p/answers/jobs/{pk}/", "/ws/jobs/%D9%A3/", "/" + "x" * 9000,
)  # fmt: skip

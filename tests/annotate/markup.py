"""A second opinion on our markup, by the standard library's parser."""

from html.parser import HTMLParser

TAGS = set(
    "span p h3 h4 h5 h6 blockquote ul ol li pre code table thead tbody tr th td div em strong del a br hr"
    " math mrow mi mn mo ms mtext mspace mfrac msqrt mroot mstyle merror mpadded mphantom menclose msub msup msubsup"
    " munder mover munderover mmultiscripts mprescripts none mtable mtr mtd mlabeledtr".split()
)  # nothing here runs, loads or submits


class Reader(HTMLParser):
    """A second opinion on our markup: its tags, attributes, and the text of each run."""

    def __init__(self, markup):
        super().__init__(convert_charrefs=True)
        self.tags, self.attributes, self.shown, self.path, self.runs = set(), [], "", [], []
        self.deepest = 0
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += attrs
        if tag in ("br", "hr"):
            return
        self.path.append((tag, dict(attrs), len(self.shown)))
        self.deepest = max(self.deepest, len(self.path))

    def handle_endtag(self, tag):
        opened, attrs, since = self.path.pop()
        assert opened == tag
        if "data-s" in attrs:
            self.runs.append((int(attrs["data-s"]), int(attrs["data-e"]), attrs["class"], self.shown[since:]))

    def handle_data(self, data):
        self.shown += data

    def handle_comment(self, data):
        raise AssertionError("a comment in the output")

    handle_decl = handle_pi = unknown_decl = handle_comment

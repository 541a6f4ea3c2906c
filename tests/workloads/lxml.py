"""libxml2 and libxslt: documents, style sheets and schemas made at import and used
afterwards, new ones, and both in threads, which have a dictionary each."""
from workloads import PYTHON, preload, write

PACKAGES = "python3-lxml"
ENV = {}

STATE = '''"""What an application makes at its import."""
from lxml import etree, html, objectify

PARSER = etree.XMLParser(remove_blank_text=True, resolve_entities=False)
TREE = etree.fromstring(
    "<shop xmlns:x='urn:x'>" + "".join(
        "<item n='%d' x:kind='k%d'><price>%d.50</price></item>" % (i, i % 3, i)
        for i in range(50)) + "</shop>", PARSER)
TOTAL = etree.XPath("sum(//price)")
BY_KIND = etree.XPath("//item[@x:kind=$kind]/@n", namespaces={"x": "urn:x"})
SHEET = etree.XSLT(etree.XML("""<xsl:stylesheet version="1.0"
    xmlns:xsl="http://www.w3.org/1999/XSL/Transform" xmlns:m="urn:mine">
  <xsl:param name="title" select="'none'"/>
  <xsl:output method="html" indent="yes"/>
  <xsl:key name="by" match="item" use="@n"/>
  <xsl:template match="/"><h1><xsl:value-of select="$title"/></h1>
    <xsl:for-each select="//item[position() &lt; 4]"><xsl:sort select="@n" order="descending"/>
      <p><xsl:value-of select="concat(@n, ':', price)"/>
        <xsl:value-of select="key('by', '7')/price"/> <xsl:value-of select="m:twice(@n)"/></p>
    </xsl:for-each></xsl:template>
</xsl:stylesheet>"""), extensions={("urn:mine", "twice"): lambda c, n: 2 * int(n[0])})
SCHEMA = etree.XMLSchema(etree.XML("""<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
  <xs:element name="shop"><xs:complexType><xs:sequence>
    <xs:element name="item" maxOccurs="unbounded"><xs:complexType><xs:sequence>
      <xs:element name="price" type="xs:decimal"/></xs:sequence>
      <xs:anyAttribute processContents="skip"/></xs:complexType></xs:element>
  </xs:sequence></xs:complexType></xs:element></xs:schema>"""))
RELAXNG = etree.RelaxNG(etree.XML("""<element name="a"
    xmlns="http://relaxng.org/ns/structure/1.0"><zeroOrMore><element name="b"><text/>
    </element></zeroOrMore></element>"""))


class Element(etree.ElementBase):
    def total(self):
        return len(self) + self.attrib.__len__()


LOOKUP = etree.XMLParser()
LOOKUP.set_element_class_lookup(etree.ElementDefaultClassLookup(element=Element))
PAGE = html.fromstring("<p>one<br>two <a href='/x?a=1&b=2'>link</a>")
etree.FunctionNamespace("urn:f")["upper"] = lambda context, text: text.upper()
'''

PROGRAM = '''import io
import sys
import threading
import state
from lxml import etree, html, objectify

LOCK = threading.Lock()


def use(n):
    """Frozen and new objects; what came of it."""
    out = [state.TOTAL(state.TREE), state.BY_KIND(state.TREE, kind="k1")[:3]]
    out.append(str(state.SHEET(state.TREE, title="'%d'" % n)))
    new = etree.fromstring("<a><b>%d</b><c/></a>" % n)
    with LOCK:		# a schema has one log for all threads
        out.append(state.SCHEMA.validate(state.TREE))
        out += [state.RELAXNG.validate(new), state.RELAXNG.error_log.last_error.message]
        out.append(state.SCHEMA.validate(new))
        out += [e.message for e in state.SCHEMA.error_log]
    etree.SubElement(new, "moved")
    out.append(etree.tostring(new, method="c14n"))
    out.append(etree.fromstring("<q a='1' b='2'><r/></q>", state.LOOKUP).total())
    out.append(new.xpath("f:upper(string(b))", namespaces={"f": "urn:f"}))
    for bad in "<a><b></a>", "", "<a>&none;</a>", "<a b=1/>":
        try:
            etree.fromstring(bad)
        except etree.XMLSyntaxError as error:
            out.append((str(error), error.error_log.last_error.type_name))
    out.append([e.tag for _, e in etree.iterparse(io.BytesIO(b"<a><b/><c/></a>"))])
    return repr(out)


def moved_between_documents():
    child = state.TREE[3]
    new = etree.Element("new")
    new.append(child)
    state.TREE.insert(3, new)
    return etree.tostring(state.TREE)[:300], state.TOTAL(state.TREE)


def incremental():
    buffer = io.BytesIO()
    with etree.xmlfile(buffer, encoding="iso-8859-1") as file, file.element("r", a="\\xe4"):
        file.write(etree.Element("x"), "text \\u20ac")
    return buffer.getvalue()


class Target:
    def __init__(self):
        self.seen = []

    def start(self, tag, attributes):
        self.seen.append((tag, dict(attributes)))

    def close(self):
        return self.seen


def main():
    print(use(0))
    results = [None] * 8

    def work(n):
        results[n] = use(n)
    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(*results, sep="\\n")
    print(moved_between_documents(), incremental())
    print(etree.tostring(state.PAGE), html.tostring(html.fragment_fromstring("<b>x</b>")))
    state.PAGE.make_links_absolute("http://example.org/")
    print(list(state.PAGE.iterlinks())[0][2], state.PAGE.text_content())
    tree = objectify.fromstring("<r><a>1</a><a>2.5</a><s>text</s></r>")
    print(tree.a + 1, tree.a[1], tree.s, objectify.dump(tree))
    print(etree.XML("<a><b/></a>", etree.XMLParser(target=Target())))
    with open("big.xml", "wb") as file:
        file.write(etree.tostring(state.TREE, pretty_print=True, xml_declaration=True,
                                  encoding="utf-8"))
    print(len(etree.parse("big.xml").getroot()), etree.LIBXML_VERSION)
    dtd = etree.DTD(io.StringIO("<!ELEMENT a (b*)><!ELEMENT b EMPTY>"))
    print(dtd.validate(etree.XML("<a><c/></a>")), dtd.error_log.filter_from_errors())
    etree.parse("none.xml")


print(use(9) if "--once" in sys.argv else main())
'''


def arrange(home):
    write(home, "state.py", STATE)
    write(home, "program.py", PROGRAM)
    preload(home, "state")


def build(home):
    return ["-w", home + "/preload.py"]


def runs(home):
    once = [home + "/program.py", "--once"]
    full = [home + "/program.py"]
    return {
        "a style sheet": dict(plain=[PYTHON, *once], image=once, bench=True),
        "everything": dict(plain=[PYTHON, *full], image=full, files=["big.xml"]),
    }

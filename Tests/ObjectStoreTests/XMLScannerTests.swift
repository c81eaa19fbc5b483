import ObjectStore
import Testing

@Suite("XML of services")
struct XMLScannerTests {
    func scan(_ text: String, root: String = "R") throws -> [String] {
        try XMLScanner.leaves(Array(text.utf8), root: root).map { "\($0.path.joined(separator: "/"))=\($0.text)" }
    }

    @Test("elements come in order, their text decoded, with or without a declaration, attributes and blanks")
    func reads() throws {
        #expect(try scan("<R/>") == ["R="])
        #expect(try scan("<R></R>\n") == ["R="])
        let text =
            "\u{FEFF}<?xml version=\"1.0\"?>\n<R xmlns=\"http://x/\">\n <A><B>1 &lt; 2 &amp;&#x41;&#66;&#13;</B><C /></A><B>ü</B></R>\n"
        #expect(try scan(text) == ["R/A/B=1 < 2 &AB\r", "R/A/C=", "R/B=ü"])
    }

    @Test(
        "a page of HTML, half an answer and anything with a document type is refused",
        arguments: [
            "", "R", "<R>", "<R><A>1</A>", "<R><A>1</R></A>", "<R></R><R></R>", "<R></R>x", "<S></S>",
            "<R><A>1</B></R>",
            "<!DOCTYPE R><R></R>", "<!DOCTYPE R [<!ENTITY a \"b\">]><R>&a;</R>", "<R>&a;</R>", "<R>&#xD800;</R>",
            "<R>&lt</R>",
            "<html><body>Please log in</body></html>", "<R><!-- --></R>", "<R", "</R>", "<>", "<R><></></R>",
            "<R><a><a><a><a><a><a><a><a></a></a></a></a></a></a></a></a></R>",
        ])
    func refuses(text: String) {
        #expect(throws: XMLScanner.Malformed.self) { try XMLScanner.leaves(Array(text.utf8), root: "R") }
    }

    @Test("whatever is cut off or changed in an answer, it is refused or read, and never trapped on")
    func hostile() throws {
        let answer = Array("<?xml version=\"1.0\"?><R><A><Key>a&amp;b</Key><Size>12</Size></A><T>true</T></R>".utf8)
        for end in answer.indices.dropLast() {
            #expect(throws: XMLScanner.Malformed.self) {
                try XMLScanner.leaves(Array(answer[...end].dropLast()), root: "R")
            }
        }
        for index in answer.indices {
            for byte in [0, UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "/"), UInt8(ascii: "&"), 0xFF] as [UInt8]
            {
                var changed = answer
                changed[index] = byte
                _ = try? XMLScanner.leaves(changed, root: "R")  // To end is all that it owes.
            }
        }
    }
}

import Foundation
import TestSupport
import Testing

extension BrowserTests {
    /// The page for those who have no pointer, do not see colours well, or hear it read.
    @Suite("Keyboard", .shared { body in try await WatchedBox.shared { _ in try await body() } })
    struct Keyboard {
        @Test("Tab reaches every control, and each shows that it has the focus")
        func tab() async throws {
            try await WatchedBox.current.scene("tab") { box in
                // Speed can be chosen of recorded footage alone.
                try await box.browser.press("j")
                try await box.browser.until("() => !document.getElementById('rate').disabled")
                try await box.browser.run("document.activeElement.blur();")
                var reached: Set<String> = []
                let wanted: Set<String> = try await box.browser.value("() => [...reachable()].map(nameOf)")
                // A field for a time has a place for each of its parts.
                for _ in 0..<wanted.count + 12 {
                    try await box.browser.press("Tab")
                    let place: Focus = try await box.browser.value(
                        """
                        () => { const element = document.activeElement, style = getComputedStyle(element);
                                return { name: nameOf(element), isSeen: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2 }; }
                        """)
                    if wanted.contains(place.name) { #expect(place.isSeen, "\(place.name)") }
                    reached.insert(place.name)
                }
                #expect(wanted.count > 15 && wanted.isSubset(of: reached), "\(wanted.subtracting(reached))")
            }
        }

        private struct Focus: Decodable {
            let name: String
            let isSeen: Bool
        }

        @Test("without a pointer: cameras, moments and frames")
        func play() async throws {
            try await WatchedBox.current.scene("keyboard") { box in
                let browser = box.browser
                try await browser.press("2")
                try await browser.until("() => cvr.chosen.name === 'yard' && cvr.isLive")
                try await box.enter("[data-camera=front] .name")
                try await browser.until(
                    "() => cvr.chosen.name === 'front' && document.querySelectorAll('.tile').length === 1")
                try await browser.press("Escape", "1")
                try await box.enter("[data-camera=front] .name")
                try await browser.until("() => document.querySelectorAll('.tile').length === 2")
                try await box.enter("#back")
                try await box.settled()
                try await box.enter("#play")
                try await browser.until("() => !cvr.isLive && !cvr.clock.isPlaying")
                try await browser.until("() => frameOf('front') >= 0")
                let before = try await box.look()
                try await box.enter("#next")
                let next = ((before.frames["front"] ?? -2) + 1) % WatchedBox.frames
                try await browser.until("() => frameOf('front') === \(next)")
                // A minute, of which a step is a second.
                try await box.tab(to: "#zoom")
                try await browser.press("ArrowUp", "ArrowUp")
                try await browser.until("() => cvr.line.span === 60")
                try await box.tab(to: "#ruler")
                let time: Double = try await browser.value("() => cvr.time")
                try await browser.press("ArrowLeft")
                try await browser.until("() => Math.abs(\(time) - 1 - cvr.time) < 0.1")
                // With the picture of where it led, which may come when it is no longer seen.
                try await browser.until("() => !document.getElementById('peek').hidden")
                try await browser.until("() => document.getElementById('peek-picture').naturalWidth")
            }
        }

        @Test("without a pointer: speed, zoom, zone, keys and sound")
        func controls() async throws {
            try await WatchedBox.current.scene("keyboard-controls") { box in
                let browser = box.browser
                try await browser.press("j")
                try await browser.until("() => !document.getElementById('rate').disabled")
                try await box.tab(to: "#rate")
                try await browser.press("ArrowDown")
                try await browser.until("() => cvr.clock.rate === 2")
                let span: Double = try await browser.value("() => cvr.line.span")
                try await box.enter("#in")
                try await browser.until("() => cvr.line.span === \(span / 2)")
                try await box.enter("#zone")
                try await browser.until("() => document.getElementById('zone').textContent === 'Local'")
                try await box.enter("#sound")
                try await browser.until("() => document.getElementById('sound').ariaPressed === 'true'")
                try await box.enter("#help")
                try await browser.until("() => document.getElementById('help-dialog').open")
                try await browser.press("Escape")
                try await browser.until("() => !document.getElementById('help-dialog').open")
                try await box.enter("#live")
                try await browser.until("() => cvr.isLive")
            }
        }

        @Test("a clip is exported, or not, without a pointer")
        func export() async throws {
            try await WatchedBox.current.scene("keyboard-export") { box in
                let browser = box.browser
                try await browser.press("j", "j", " ")
                try await browser.until("() => !cvr.isLive && !cvr.clock.isPlaying")
                try await browser.press("i", ";", "o")
                try await box.enter("#export")
                try await browser.until("() => !document.getElementById('export-start').disabled")
                try await box.enter("#export-start")
                try await browser.until("() => document.getElementById('export-dialog').dataset.done")
                try await browser.press("Escape")
                try await browser.until("() => !document.getElementById('export-dialog').open")
                try await browser.press("e")
                try await browser.until("() => document.getElementById('export-dialog').open")
                try await box.enter("#export-cancel")
                try await browser.until("() => !document.getElementById('export-dialog').open")
            }
        }

        @Test("every control has a name, and all text stands out from its ground", arguments: ["dark", "light"])
        func readable(scheme: String) async throws {
            let box = try WatchedBox.current
            try await box.scene("readable-\(scheme)") { box in
                try await box.browser.open(box.url, scheme: scheme)
                try await box.browser.until("() => window.cvr && frameOf('front') >= 0")
                let nameless: [String] = try await box.browser.value(
                    """
                    () => [...document.querySelectorAll('button, select, input, progress, dialog, [role=slider], [role=img], video, main, section')]
                      .filter(element => !(element.ariaLabel || element.textContent.trim() || element.labels?.length || element.getAttribute('aria-labelledby')))
                      .map(element => element.outerHTML.slice(0, 100))
                    """)
                #expect(nameless == [])
                let spoken: String = try await box.browser.value(
                    "() => document.getElementById('ruler').getAttribute('aria-valuetext')")
                #expect(spoken.contains("live"), "\(spoken)")
                let tree = try await box.browser.tree()
                #expect(tree.contains("slider Time") && tree.contains { $0.hasPrefix("image front: ") }, "\(tree)")
                // In its picture and in its row.
                #expect(tree.filter { $0 == "button front" }.count == 2, "\(tree)")
                let line: [Ratio] = try await box.browser.value("() => lineContrasts()")
                for ratio in line { #expect(ratio.ratio >= 3, "\(ratio)") }
                for dialog in ["", "help-dialog", "export-dialog"] {
                    if !dialog.isEmpty {
                        try await box.browser.run("document.getElementById('\(dialog)').showModal();")
                    }
                    let ratios: [Ratio] = try await box.browser.value("() => contrasts()")
                    #expect(ratios.count > 10)
                    for ratio in ratios { #expect(ratio.ratio >= 4.5, "\(ratio)") }
                    if !dialog.isEmpty { try await box.browser.run("document.getElementById('\(dialog)').close();") }
                }
            }
        }

        private struct Ratio: Decodable {
            let text: String
            let ratio: Double
        }
    }
}

extension WatchedBox {
    /// Presses Tab until what a selector names has the focus.
    fileprivate func tab(to selector: String) async throws {
        for _ in 0..<80 {
            let isThere: Bool = try await browser.value("() => document.activeElement.matches('\(selector)')")
            if isThere { return }
            try await browser.press("Tab")
        }
        throw Missed("the focus on \(selector)")
    }

    fileprivate func enter(_ selector: String) async throws {
        try await tab(to: selector)
        try await browser.press("Enter")
    }
}

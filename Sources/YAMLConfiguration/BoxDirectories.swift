/// Where a box keeps things.
package struct BoxDirectories: Hashable, Sendable {
    package private(set) var runtime = "/run/cvr"
    package private(set) var state = "/var/lib/cvr/state"
    package private(set) var cache = "/var/lib/cvr/cache"

    /// Those of a box whose configuration says nothing about them.
    package init() {}

    init(_ main: ConfigurationText) {
        let root = Section(main, schema: "", mistakes: MistakeList())
        func path(_ section: String) -> String? { root.section(section, schema: section).value("path", Values.path) }
        runtime = path("runtime") ?? runtime
        state = path("state") ?? state
        cache = path("cache") ?? cache
    }
}

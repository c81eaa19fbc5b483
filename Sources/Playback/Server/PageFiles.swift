/// The files of the page, as they are in the program.
package enum PageFiles {
    /// A file by its name; the empty one is the page itself.
    ///
    /// Names are looked up, no path is made of them.
    package static func find(_ name: String) -> ServerHooks.PageFile? {
        let file = name.isEmpty ? "index.html" : name
        guard let bytes = bytes(file), let suffix = file.split(separator: ".").last else { return nil }
        return types[String(suffix)].map { ServerHooks.PageFile(type: $0, bytes: bytes) }
    }

    private static let types = [
        "html": "text/html; charset=utf-8", "js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8",
        "svg": "image/svg+xml",
    ]

    private static func bytes(_ name: String) -> [UInt8]? {
        switch name {
        case "app.js": PackageResources.app_js
        case "clock.js": PackageResources.clock_js
        case "exporting.js": PackageResources.exporting_js
        case "icon.svg": PackageResources.icon_svg
        case "index.html": PackageResources.index_html
        case "keys.js": PackageResources.keys_js
        case "known.js": PackageResources.known_js
        case "live.js": PackageResources.live_js
        case "mp4.js": PackageResources.mp4_js
        case "peek.js": PackageResources.peek_js
        case "playlist.js": PackageResources.playlist_js
        case "recorded.js": PackageResources.recorded_js
        case "search.js": PackageResources.search_js
        case "server.js": PackageResources.server_js
        case "source.js": PackageResources.source_js
        case "speaker.js": PackageResources.speaker_js
        case "streams.js": PackageResources.streams_js
        case "style.css": PackageResources.style_css
        case "tile.js": PackageResources.tile_js
        case "timeline.js": PackageResources.timeline_js
        case "times.js": PackageResources.times_js
        case "troubles.js": PackageResources.troubles_js
        default: nil
        }
    }
}

package import Catalog
import Recording

/// Opens the catalog that belongs to a configuration, or begins a new one to be rebuilt (I6).
package struct CatalogFile {
    private static let origin = "origin"

    let settings: SyncSettings
    let events: EventLog
    let clock: SyncClock

    package init(settings: SyncSettings, events: EventLog, clock: SyncClock) {
        self.settings = settings
        self.events = events
        self.clock = clock
    }

    package func open() throws(CatalogError) -> Catalog {
        do {
            let catalog = try Catalog(path: settings.catalogPath)
            guard let origin = try catalog.note(Self.origin) else { return try claim(catalog) }
            guard origin != settings.origin else { return catalog }
            try catalog.close()
            return try begin(why: "it is of another site, cache or store: \(origin)")
        } catch {
            guard error.isCorrupt else { throw error }
            return try replace(because: error)
        }
    }

    /// Sets a damaged catalog aside.
    ///
    /// Whoever still has it open writes to the file that was set aside.
    func replace(because damage: CatalogError) throws(CatalogError) -> Catalog { try begin(why: damage.detail) }

    private func begin(why: String) throws(CatalogError) -> Catalog {
        let kept = try Catalog.setAside(path: settings.catalogPath, at: clock.now())
        events.tell("catalogRebuilt", camera: nil, at: clock.now(), "the old one is kept as \(kept); \(why)")
        return try claim(try Catalog(path: settings.catalogPath))
    }

    private func claim(_ catalog: Catalog) throws(CatalogError) -> Catalog {
        try catalog.setNote(Self.origin, settings.origin)
        return catalog
    }
}

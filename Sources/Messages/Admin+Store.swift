extension Admin {
    /// What a store that is a service was found to do; see io.cvr.Admin.varlink.
    package struct StoreCapabilities: Codable, Hashable, Sendable {
        package var putsIfAbsent: Bool
        package var vouches: Bool
        package var readsRanges: Bool

        package init(putsIfAbsent: Bool, vouches: Bool, readsRanges: Bool) {
            self.putsIfAbsent = putsIfAbsent
            self.vouches = vouches
            self.readsRanges = readsRanges
        }

        /// In words what it cannot do, and what that costs.
        package var lacks: [String] {
            let words = [
                (putsIfAbsent, "it does not refuse to overwrite, so that each upload costs a HEAD more"),
                (vouches, "it does not vouch for checksums, so that each upload is read back"),
                (readsRanges, "it does not read parts of objects, so that a look into one costs all of it"),
            ]
            return words.filter { !$0.0 }.map(\.1)
        }
    }
}

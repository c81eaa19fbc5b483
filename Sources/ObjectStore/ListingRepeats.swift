/// Notices a service that repeats itself, whose listing would never end.
struct ListingRepeats {
    private var words: Set<String> = []
    private var last: String?

    /// False for a word that asks for a next page for the second time, or a page that ends as the one before did.
    mutating func isNews(_ word: String, after end: String?) -> Bool {
        defer { last = end ?? last }
        return words.insert(word).inserted && (end == nil || end != last)
    }
}

/// What a server asks of others of its process.
package struct ServerHooks: Sendable {
    /// A file of the page, as it is sent.
    package struct PageFile: Hashable, Sendable {
        /// With its character set.
        package let type: String
        package let bytes: [UInt8]

        package init(type: String, bytes: [UInt8]) {
            self.type = type
            self.bytes = bytes
        }
    }

    /// `/metrics`: Prometheus text; is told how many are being sent footage.
    package var metrics: @Sendable (_ viewers: Int) async throws -> String
    /// Files below `/page/` by name; the empty name is `/`.
    package var page: @Sendable (_ name: String) -> PageFile?
    /// Nil where there is no cvr-preview.
    package var previews: Previews?

    package init(
        metrics: @escaping @Sendable (_ viewers: Int) async throws -> String = { _ in "" },
        page: @escaping @Sendable (_ name: String) -> PageFile? = PageFiles.find,
        previews: Previews? = nil
    ) {
        self.metrics = metrics
        self.page = page
        self.previews = previews
    }
}

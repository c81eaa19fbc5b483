/// What `cvrctl cost` shows; see io.cvr.Admin.varlink, which documents each field.
extension Admin {
    package struct Forecast: Codable, Hashable, Sendable {
        package var service: String
        package var storageClass: String
        package var segmentLength: Double
        package var writes: Double
        package var writeCost: Double
        package var storageCost: Double

        package init(
            service: String, storageClass: String, segmentLength: Double, writes: Double, writeCost: Double,
            storageCost: Double
        ) {
            self.service = service
            self.storageClass = storageClass
            self.segmentLength = segmentLength
            self.writes = writes
            self.writeCost = writeCost
            self.storageCost = storageCost
        }
    }

    package struct CameraCost: Codable, Hashable, Sendable {
        package var name: String
        package var bitsPerSecond: Double
        package var segmentLength: Double
        package var retention: Double?
        package var forecasts: [Forecast]

        package init(
            name: String, bitsPerSecond: Double, segmentLength: Double, retention: Double?, forecasts: [Forecast]
        ) {
            self.name = name
            self.bitsPerSecond = bitsPerSecond
            self.segmentLength = segmentLength
            self.retention = retention
            self.forecasts = forecasts
        }
    }

    package struct Written: Codable, Hashable, Sendable {
        package var since: String
        package var segments: Int64
        package var documents: Int64
        package var bytes: Int64
        package var lists: Int64?

        package init(since: String, segments: Int64, documents: Int64, bytes: Int64, lists: Int64? = nil) {
            self.since = since
            self.segments = segments
            self.documents = documents
            self.bytes = bytes
            self.lists = lists
        }
    }

    package struct Cost: Codable, Hashable, Sendable {
        package var prices: String
        package var dated: String
        package var currency: String
        package var service: String
        package var storageClass: String?
        package var cameras: [CameraCost]
        package var written: Written?

        package init(
            prices: String, dated: String, currency: String, service: String, storageClass: String?,
            cameras: [CameraCost], written: Written?
        ) {
            self.prices = prices
            self.dated = dated
            self.currency = currency
            self.service = service
            self.storageClass = storageClass
            self.cameras = cameras
            self.written = written
        }
    }
}

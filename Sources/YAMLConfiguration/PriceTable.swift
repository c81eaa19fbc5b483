/// What storing costs, as the operator's `prices.yaml` says it.
package struct PriceTable: Hashable, Sendable {
    /// Of one storage class of one kind of store.
    package struct Price: Hashable, Sendable {
        /// `s3` or `azblob`, as in `store.url`.
        package var service: String
        package var storageClass: String
        package var writesPerThousand: Double
        /// For 10^9 bytes kept for a month.
        package var gigabyteMonth: Double
        package var minimumDays: Double
        package var minimumBytes: Double

        package init(
            service: String, storageClass: String, writesPerThousand: Double, gigabyteMonth: Double,
            minimumDays: Double = 0, minimumBytes: Double = 0
        ) {
            self.service = service
            self.storageClass = storageClass
            self.writesPerThousand = writesPerThousand
            self.gigabyteMonth = gigabyteMonth
            self.minimumDays = minimumDays
            self.minimumBytes = minimumBytes
        }
    }

    package static let services = ["s3", "azblob"]
    private static let members = ["writesPerThousand", "gigabyteMonth", "minimumDays", "minimumBytes"]

    /// The day on which they were looked up, as it is written.
    package var dated: String
    package var currency: String
    /// In the order of the file.
    package var prices: [Price]

    package init(dated: String, currency: String, prices: [Price]) {
        self.dated = dated
        self.currency = currency
        self.prices = prices
    }

    /// Throws every mistake at once.
    package init(_ text: ConfigurationText) throws(ConfigurationError) {
        let mistakes = MistakeList()
        let root = Section(text, schema: nil, mistakes: mistakes)
        guard root.isPresent else { throw mistakes.error }
        root.refuse(others: ["dated", "currency"] + Self.services)
        var prices: [Price] = []
        for service in Self.services {
            let classes = root.section(service, schema: nil)
            for (name, _) in classes.keys {
                prices.append(Self.price(service, name, classes.section(name, schema: nil)))
            }
        }
        self.init(
            dated: root.required("dated", hint: "add dated: YYYY-MM-DD", Values.printable) ?? "",
            currency: root.required("currency", hint: "add currency: USD", Values.printable) ?? "", prices: prices)
        guard mistakes.isEmpty else { throw mistakes.error }
    }

    private static func price(_ service: String, _ name: String, _ section: Section) -> Price {
        section.refuse(others: members)
        return Price(
            service: service, storageClass: name,
            writesPerThousand: section.required("writesPerThousand", hint: "add its price", amount) ?? 0,
            gigabyteMonth: section.required("gigabyteMonth", hint: "add its price", amount) ?? 0,
            minimumDays: section.value("minimumDays", amount) ?? 0,
            minimumBytes: section.value("minimumBytes", amount) ?? 0)
    }

    private static func amount(_ text: String) throws(BadValue) -> Double {
        guard let value = Double(text), (0...1e12).contains(value) else { throw BadValue("not a number such as 0.023") }
        return value
    }
}

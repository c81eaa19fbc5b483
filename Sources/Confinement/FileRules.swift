/// Which files a process may reach, as pure data: all others it cannot open, whoever owns them.
package struct FileRules: Hashable, Sendable {
    package enum Access: Hashable, Sendable {
        /// Files are read; folders are not listed.
        case read
        /// Files are read and folders listed.
        case look
        /// A program is read and executed.
        case run
        /// Files and folders are made, listed, read, written, renamed and removed; links, sockets and devices are not
        /// made, and nothing is executed.
        case own
        /// As `own`, and sockets are bound.
        case serve
    }

    /// One file, or everything below one folder.
    package struct Rule: Hashable, Sendable {
        package var path: String
        package var access: Access

        package init(_ path: String, _ access: Access) {
            self.path = path
            self.access = access
        }
    }

    package var rules: [Rule]

    package init(_ rules: [Rule]) { self.rules = rules }
}

/// Rights of Landlock's (landlock(7)), by the version of the kernel's that first knew them.
package struct LandlockRights: OptionSet, Hashable, Sendable {
    package let rawValue: UInt64

    package static let execute = LandlockRights(rawValue: 1 << 0)
    package static let writeFile = LandlockRights(rawValue: 1 << 1)
    package static let readFile = LandlockRights(rawValue: 1 << 2)
    package static let listFolder = LandlockRights(rawValue: 1 << 3)
    package static let removeFolder = LandlockRights(rawValue: 1 << 4)
    package static let removeFile = LandlockRights(rawValue: 1 << 5)
    package static let makeFolder = LandlockRights(rawValue: 1 << 7)
    package static let makeFile = LandlockRights(rawValue: 1 << 8)
    package static let makeSocket = LandlockRights(rawValue: 1 << 9)
    package static let moveAcross = LandlockRights(rawValue: 1 << 13)
    package static let truncate = LandlockRights(rawValue: 1 << 14)
    package static let controlDevice = LandlockRights(rawValue: 1 << 15)

    /// Those that mean something for a plain file: the kernel refuses a rule with others.
    package static let ofFiles: LandlockRights = [.execute, .writeFile, .readFile, .truncate, .controlDevice]

    /// All that a kernel can withhold.
    package static func known(to version: Int32) -> LandlockRights {
        var rights = LandlockRights(rawValue: 1 << 13 - 1)
        if version >= 2 { rights.insert(.moveAcross) }
        if version >= 3 { rights.insert(.truncate) }
        if version >= 5 { rights.insert(.controlDevice) }
        return rights
    }

    package init(rawValue: UInt64) { self.rawValue = rawValue }

    /// What a rule grants on a kernel: the kernel refuses a rule with rights that it does not know.
    package init(_ access: FileRules.Access, isFolder: Bool, version: Int32) {
        let own: LandlockRights = [
            .readFile, .writeFile, .listFolder, .makeFile, .makeFolder, .removeFile, .removeFolder, .moveAcross,
            .truncate,
        ]
        let granted: LandlockRights =
            switch access {
            case .read: .readFile
            case .look: [.readFile, .listFolder]
            case .run: [.readFile, .execute]
            case .own: own
            case .serve: own.union(.makeSocket)
            }
        self = granted.intersection(.known(to: version)).intersection(isFolder ? granted : .ofFiles)
    }
}

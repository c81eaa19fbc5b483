import Confinement
import Testing

@Suite("Confinement: files")
struct FileRulesTests {
    static let accesses: [FileRules.Access] = [.read, .look, .run, .own, .serve]

    @Test("no rule grants a right that the kernel does not know, or that a file cannot have", arguments: Int32(1)...7)
    func known(version: Int32) {
        for access in Self.accesses {
            let folder = LandlockRights(access, isFolder: true, version: version)
            let file = LandlockRights(access, isFolder: false, version: version)
            #expect(folder.isSubset(of: .known(to: version)))
            #expect(file.isSubset(of: folder.intersection(.ofFiles)))
        }
    }

    @Test("nothing may be executed but what is to be run, and only a folder that serves takes sockets")
    func never() {
        for access in Self.accesses {
            let rights = LandlockRights(access, isFolder: true, version: 7)
            #expect(rights.contains(.execute) == (access == .run))
            #expect(rights.contains(.makeSocket) == (access == .serve))
        }
        #expect(LandlockRights(.read, isFolder: true, version: 7) == .readFile)
        #expect(LandlockRights(.look, isFolder: true, version: 7) == [.readFile, .listFolder])
        #expect(LandlockRights(.run, isFolder: false, version: 7) == [.readFile, .execute])
    }
}

import Logging

/// How loud an event is in the log, by its type; whoever is woken at night reads errors.
enum EventLevel {
    static func of(_ type: String) -> Logger.Level {
        switch type {
        case "footageLost", "segmentQuarantined", "catalogRebuilt", "diskFull", "diskError", "diskStalled",
            "configurationRefused", "credentialRefused", "credentialLeft", "syncRefused", "clockMoved",
            "graphEventsLost", "fileSinkFailed":
            .error
        case "gapOpened", "stateNotWritten", "sandboxDegraded", "storeAway", "storeLimited", "clockStep",
            "workerRemoved", "summaryDamaged", "auditFinding", "evictionNear", "receiverAway",
            "graphEventsRepeated", "drainWaits":
            .warning
        case "segmentClosed", "mediaSessionEstablished": .debug
        default: .info
        }
    }
}

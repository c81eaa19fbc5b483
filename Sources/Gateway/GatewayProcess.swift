/// The process cvr-gateway: media graphs for the network.
package enum GatewayProcess {
    package static func run(_ arguments: [String]) async -> Int32 { 64 }
}

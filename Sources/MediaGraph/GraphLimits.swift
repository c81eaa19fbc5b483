/// How much of everything one box takes (LVA's quotas).
package enum GraphLimits {
    package static let topologies = 50
    package static let instances = 1000
    package static let nameLength = 32
    package static let parameterNameLength = 64
}

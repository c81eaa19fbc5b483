import CLinux
import Glibc

/// Which interfaces lead out of the box: those of the best default route of each address family.
package enum DefaultRoutes {
    /// RTF_UP and RTF_REJECT of <linux/route.h>.
    private static let isUp: UInt32 = 0x1
    private static let isRefusal: UInt32 = 0x200

    /// `ipv4` and `ipv6` are the texts of `/proc/net/route` and `/proc/net/ipv6_route`.
    package static func interfaces(ipv4: String, ipv6: String) -> Set<String> {
        let routes = [ipv4.split(separator: "\n").compactMap(four), ipv6.split(separator: "\n").compactMap(six)]
        return Set(routes.compactMap { family in family.min { $0.metric < $1.metric }?.interface })
    }

    /// Those of now; none where the kernel does not say.
    static func current() -> Set<String> {
        interfaces(ipv4: text("/proc/net/route"), ipv6: text("/proc/net/ipv6_route"))
    }

    private struct Route {
        var interface: String
        var metric: UInt32
    }

    /// Interface, destination, gateway, flags, two counters, metric, mask: all but the metric in hexadecimal.
    private static func four(_ line: Substring) -> Route? {
        let fields = line.split(whereSeparator: \.isWhitespace)
        guard fields.count >= 8, fields[1] == "00000000", fields[7] == "00000000",
            let flags = UInt32(fields[3], radix: 16), flags & isUp != 0, flags & isRefusal == 0,
            let metric = UInt32(fields[6])
        else { return nil }
        return Route(interface: String(fields[0]), metric: metric)
    }

    /// Destination and its length, source and its length, next hop, metric, two counters, flags, interface: in hexadecimal.
    private static func six(_ line: Substring) -> Route? {
        let fields = line.split(whereSeparator: \.isWhitespace)
        guard fields.count == 10, fields[0].allSatisfy({ $0 == "0" }), fields[1] == "00", fields[9] != "lo",
            let flags = UInt32(fields[8], radix: 16), flags & isUp != 0, flags & isRefusal == 0,
            let metric = UInt32(fields[5], radix: 16)
        else { return nil }
        return Route(interface: String(fields[9]), metric: metric)
    }

    /// Empty when it cannot be read, or holds more routes than a box has.
    private static func text(_ path: String) -> String {
        let descriptor = cvr_open(path, O_RDONLY, 0)
        guard descriptor >= 0 else { return "" }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 256 << 10)
        var count = 0
        while count < bytes.count {
            // The kernel gives a page or so at a time.
            let got = bytes.withUnsafeMutableBytes { buffer in
                read(descriptor, buffer.baseAddress.map { $0 + count }, buffer.count - count)
            }
            guard got > 0 else { break }
            count += got
        }
        return String(decoding: bytes.prefix(count), as: UTF8.self)
    }
}

/// An event as `cvrctl --json events` prints it.
package struct EventLine: Decodable, Hashable, Sendable {
    package let time: String
    package let type: String
    package let camera: String?
    /// In words; empty of an event of a media graph, whose detail is an object.
    package let detail: String

    private enum Name: CodingKey { case time, type, camera, detail }

    package init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: Name.self)
        time = try members.decode(String.self, forKey: .time)
        type = try members.decode(String.self, forKey: .type)
        camera = try members.decode(String?.self, forKey: .camera)
        // An object.
        detail = (try? members.decode(String.self, forKey: .detail)) ?? ""
    }
}

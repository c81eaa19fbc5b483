import Preview

@main
enum PreviewMain {
    static func main() { print(PreviewProcess.versions) }
}

import Footage
import Testing

@Suite("Footage")
struct FootageTests {}

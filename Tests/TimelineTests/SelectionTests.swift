import Recording
import Testing
import Timeline

@Suite("Timeline: selection")
struct SelectionTests {}

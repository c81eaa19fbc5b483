import Playback
import Testing

@Suite("Playback")
struct PlaybackTests {}

import FragmentedMP4
import Recording
import Testing

import Glibc

exit(await Cvrctl.perform(Array(CommandLine.arguments.dropFirst())).rawValue)

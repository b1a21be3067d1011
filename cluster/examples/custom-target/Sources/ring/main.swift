import Inference
import IsomixCommands

// Coordinator and workers are this same program: all of them know the target.
CustomTargets.register("ring") { input in
  try Ring(radius: input.settings["radius"] ?? 3, width: input.settings["width"] ?? 0.3)
}
IsomixProgram.main()

// FitRuntime

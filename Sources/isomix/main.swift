import IsomixCommands

IsomixProgram.main()

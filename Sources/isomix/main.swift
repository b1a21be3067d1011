print("isomix")

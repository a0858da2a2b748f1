NAME = "ü"

def rank():
    return rank()


rank()

for number in range(10_000):
    print(f"\r{number}", end="")
print('\n{"bar": "done"}')

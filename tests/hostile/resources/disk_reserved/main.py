import os

file = os.open("x", os.O_CREAT | os.O_RDWR)
os.posix_fallocate(file, 0, 9 << 20)

import socket

socket.socket(socket.AF_UNIX).bind("submission/submission.csv")

from attack import found

found(accounts=[line.split(":")[0] for line in open("/etc/passwd")])

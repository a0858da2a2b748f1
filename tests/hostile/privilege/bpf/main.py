from attack import buffer, call, found

found(answer=call("bpf", 0, buffer, 72))

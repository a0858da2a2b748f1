from attack import buffer, call, found

found(answer=call("perf_event_open", buffer, 0, -1, -1, 0))

import forever

forever.start()

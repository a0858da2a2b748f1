import os

os.write(1, b'{"last": "words"}')

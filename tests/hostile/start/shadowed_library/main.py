import json

json.dumps([])

import timm

timm.list_models()

"""Put a network into a submission folder: exported in an environment that has torch, or fetched as ONNX."""

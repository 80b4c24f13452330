"""Files that survive crashes, full disks and damage, and that hold data and never code.

- `files`: a file is there whole or not at all
- `jsontext`: strict JSON, and floats that come back exactly
- `tensors`: strict safetensors
- `manifest`: what a checkpoint says of itself, sealed by a hash
- `lock`: one writer at a time
- `checkpoints`: the newest whole state of a run, whatever happened
"""

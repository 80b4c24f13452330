"""Where other libraries meet Weft. Each is looked at only where it has been imported by somebody else."""

from weft.interop.arrival import when_imported

when_imported("einops._backends", "weft.interop.einops")

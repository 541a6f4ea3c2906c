"""The hooks of module pyimage, under the names of hosted snapshots. See
pyimage(7)."""
from pyimage import register_after_restore, register_before_snapshot

__all__ = ["register_after_restore", "register_before_snapshot"]

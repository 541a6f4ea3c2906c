"""Warm-up that makes an image recognisable: MARKED prints whether it runs."""
import sys
import types

sys.modules["frozen_marker"] = types.ModuleType("frozen_marker")
